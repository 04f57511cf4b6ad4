"""Words that may not stand in our C++, each with what to use instead."""

import re

EVERYWHERE = [
    (r"\bco_(await|return|yield)\b", "no coroutines: GCC 12 miscompiles them (ADR)"),
    (r"\busing\s+namespace\b", "name what you use"),
    (r"\b(system_clock|steady_clock|high_resolution_clock)\b", "take a Clock& (common/clock.h)"),
    (r"\b(clock_gettime|gettimeofday)\b|\btime\s*\(\s*(nullptr|NULL|0)\s*\)",
     "take a Clock& (common/clock.h)"),
    (r"\brandom_device\b|\bs?rand\s*\(|\bmt19937", "take an Rng& (common/rng.h)"),
    (r"(?<!static_)\bassert\s*\(", "MERIDIAN_CHECK is on in every build"),
    (r"\[=\]|\[=,", "name what the lambda captures"),
    (r"\bdetach\s*\(\s*\)", "every thread is joined by its owner"),
    (r"\b(TODO|FIXME|XXX)\b", "do it now or open an issue"),
]
PRODUCT = [
    (r"\b(sleep_for|sleep_until|usleep|nanosleep)\b|(?<![\w.>])sleep\s*\(",
     "wait on a condition, a timer or a socket"),
    (r"\bstd::(cout|cerr|clog)\b|(?<!\w)f?printf\s*\(|\bputs\s*\(", "log through a Logger"),
    (r"\bstd::endl\b", "'\\n' does not flush"),
]
# (path, what the pattern finds): why it may stay.
EXCEPTIONS = {
    ("common/clock.cc", "clock_gettime"): "the one door to time",
    ("common/check.cc", "fprintf"): "says why the process aborts, when no logger is at hand",
}
# Programs talk to people on standard output.
TALKS = re.compile(r"^(tools/|common/daemon\.cc)")
TALK_WORDS = PRODUCT[1][0]

_TOKEN = re.compile(
    r'//[^\n]*|/\*.*?\*/|R"(?P<d>[^(\s]*)\(.*?\)(?P=d)"|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])\'',
    re.DOTALL)


def code_only(text, keep_comments=False):
    """`text` with strings (and comments) blanked out, line numbers unchanged."""
    def blank(match):
        token = match.group(0)
        if keep_comments and token.startswith("/"):
            return token
        return re.sub(r"[^\n]", " ", token)
    return _TOKEN.sub(blank, text)


def problems(path, text):
    found = []
    code = code_only(text)
    with_comments = code_only(text, keep_comments=True)
    rules = list(EVERYWHERE)
    if not path.startswith("tests/") or path.startswith("tests/sim/"):
        rules += PRODUCT
    for pattern, instead in rules:
        if pattern == TALK_WORDS and TALKS.match(path):
            continue
        for match in re.finditer(pattern, with_comments if "TODO" in pattern else code):
            word = re.sub(r"[\s(].*", "", match.group(0))
            if (path, word) in EXCEPTIONS:
                continue
            line = text.count("\n", 0, match.start()) + 1
            found.append(f"{path}:{line}: '{match.group(0).strip()}': {instead}")
    return found
