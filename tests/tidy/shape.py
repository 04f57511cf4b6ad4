"""How long files, functions and lines may be, and how a header begins."""

import re

FILE_LINES_MAX = 800
FUNCTION_LINES_MAX = 70
COLUMNS_MAX = 100
PROSE_COLUMNS_MAX = 110  # comments and Python: no formatter breaks them for us
# Tables of cases are long by nature.
LONG_FUNCTIONS_ALLOWED = re.compile(r"^tests/")

_NOT_A_FUNCTION = re.compile(
    r"^\s*(namespace|class|struct|enum|union|extern|template|constexpr \w+ k|const \w+ k)\b"
    r"|=\s*\{$|\[\]\s*=")
_COMMENT = re.compile(r"^\s*(//|#|\*)")


def long_lines(path, text):
    found = []
    for n, line in enumerate(text.splitlines(), 1):
        prose = path.endswith(".py") or _COMMENT.match(line) or "  // " in line
        limit = PROSE_COLUMNS_MAX if prose else COLUMNS_MAX
        if len(line) > limit:
            found.append(f"{path}:{n}: {len(line)} columns, {limit} at most")
    return found


def long_file(path, text):
    lines = text.count("\n")
    return [f"{path}: {lines} lines, {FILE_LINES_MAX} at most"] if lines > FILE_LINES_MAX else []


def long_functions(path, text):
    """Relies on our formatting: a body opens at the end of a line and closes at the indentation of
    its first line (0 for functions, 2 for members of a class)."""
    if LONG_FUNCTIONS_ALLOWED.match(path):
        return []
    found = []
    lines = text.splitlines()
    for indent in ("", "  "):
        start = None
        for n, line in enumerate(lines, 1):
            begins = re.match(re.escape(indent) + r"[A-Za-z_~\[]", line)
            if begins and not re.match(r"\s*(public|private|protected)\s*:", line):
                start = None if _NOT_A_FUNCTION.search(line) else n
            if line.startswith(indent + "}") and start is not None:
                if n - start + 1 > FUNCTION_LINES_MAX:
                    found.append(f"{path}:{start}: a function of {n - start + 1} lines, "
                                 f"{FUNCTION_LINES_MAX} at most")
                start = None
    return found


def header_contract(path, text):
    """A header opens with a comment that says what it is for, then #pragma once."""
    if not path.endswith(".h"):
        return []
    head = re.match(r"((?://[^\n]*\n)+)#pragma once\n", text)
    if head is None:
        return [f"{path}: must open with its contract in // lines, then #pragma once"]
    words = len(re.findall(r"\w+", head.group(1)))
    return [] if words >= 8 else [f"{path}: its opening comment says too little"]
