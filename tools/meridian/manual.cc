#include "tools/meridian/manual.h"

#include <CLI/CLI.hpp>

#include <memory>
#include <sstream>
#include <vector>

#include "tools/meridian/commands.h"
#include "tools/meridian/output.h"

namespace meridian::cli {
namespace {

// A command by its words after "meridian": "" for the program itself, "drill run".
struct Entry {
  std::string path;
  const CLI::App* app;
};

void collect(const CLI::App& app, const std::string& path, std::vector<Entry>& out) {
  out.push_back({path, &app});
  for (const CLI::App* child : app.get_subcommands({}))
    collect(*child, path.empty() ? child->get_name() : path + " " + child->get_name(), out);
}

std::vector<Entry> entries_of(const CLI::App& app) {
  std::vector<Entry> out;
  collect(app, "", out);
  return out;
}

bool is_leaf(const CLI::App& app) { return app.get_subcommands({}).empty(); }

// The flags of a command with the names that it has, "--region", "-o".
struct Flag {
  std::vector<std::string> names;
  std::string help;
  std::string value;                 // "" when it takes none
  std::vector<std::string> choices;  // when there is a closed list
};

std::vector<std::string> split(const std::string& text, char mark) {
  std::vector<std::string> out;
  std::istringstream parts(text);
  for (std::string part; std::getline(parts, part, mark);) out.push_back(part);
  return out;
}

// "TEXT:{table,json,csv}" names its choices.
std::vector<std::string> choices_of(const CLI::Option& option) {
  std::string type = option.get_type_name();
  auto open = type.find('{');
  auto close = type.find('}', open);
  if (open == std::string::npos || close == std::string::npos) return {};
  return split(type.substr(open + 1, close - open - 1), ',');
}

std::vector<Flag> flags_of(const CLI::App& app) {
  std::vector<Flag> out;
  for (const CLI::Option* option : app.get_options()) {
    if (option->get_positional()) continue;
    Flag flag;
    for (const auto& name : option->get_snames()) flag.names.push_back("-" + name);
    for (const auto& name : option->get_lnames()) flag.names.push_back("--" + name);
    flag.help = option->get_description();
    flag.choices = choices_of(*option);
    if (option->get_expected_max() != 0) flag.value = flag.choices.empty() ? "VALUE" : "WORD";
    out.push_back(std::move(flag));
  }
  return out;
}

std::vector<const CLI::Option*> operands_of(const CLI::App& app) {
  std::vector<const CLI::Option*> out;
  for (const CLI::Option* option : app.get_options())
    if (option->get_positional()) out.push_back(option);
  return out;
}

std::string joined(const std::vector<std::string>& words, const char* between) {
  std::string out;
  for (const auto& word : words) out += (out.empty() ? "" : between) + word;
  return out;
}

// In single quotes for a shell.
std::string quoted(const std::string& text) {
  std::string out = "'";
  for (char c : text) out += c == '\'' ? "'\\''" : std::string(1, c);
  return out + "'";
}

// Which words may follow `path`: commands, or the flags of it and of the program.
std::vector<std::string> words_after(const Entry& entry, const CLI::App& root) {
  std::vector<std::string> out;
  for (const CLI::App* child : entry.app->get_subcommands({})) out.push_back(child->get_name());
  for (const CLI::Option* operand : operands_of(*entry.app))
    for (const auto& choice : choices_of(*operand)) out.push_back(choice);
  for (const auto& flag : flags_of(*entry.app))
    out.insert(out.end(), flag.names.begin(), flag.names.end());
  if (entry.app == &root) return out;
  for (const auto& flag : flags_of(root))
    for (const auto& name : flag.names)
      if (name != "-h" && name != "--help" && name != "--version") out.push_back(name);
  return out;
}

// `  'a b') ACTION;;` for each flag that has a closed list of values, under each command.
std::string cases_of_choices(const CLI::App& root, const char* action_begin,
                             const char* action_end) {
  std::string out;
  for (const auto& entry : entries_of(root)) {
    for (const auto& flag : flags_of(*entry.app)) {
      if (flag.choices.empty()) continue;
      for (const auto& name : flag.names) {
        // The program's own flags may stand anywhere.
        std::string pattern = entry.app == &root ? "*' " + name + "'"
                                                 : quoted(entry.path + " " + name);
        out += "    " + pattern + ") " + action_begin + quoted(joined(flag.choices, " ")) +
               action_end + "\n";
      }
    }
  }
  return out;
}

// Finds the longest command among the words before the cursor; sets `path`.
std::string find_path(const CLI::App& root) {
  std::vector<std::string> paths;
  for (const auto& entry : entries_of(root))
    if (!entry.path.empty()) paths.push_back(quoted(entry.path));
  return "    case \"${path:+$path }$word\" in\n      " + joined(paths, "|") +
         ") path=\"${path:+$path }$word\";;\n    esac\n";
}

std::string roff(const std::string& text) {
  std::string out;
  for (char c : text) {
    if (c == '\\') {
      out += "\\e";
    } else {
      out += c == '-' ? "\\-" : std::string(1, c);
    }
  }
  // A line that begins with a dot or a quote would be a request.
  if (!out.empty() && (out.front() == '.' || out.front() == '\'')) out = "\\&" + out;
  return out;
}

std::string roff_flag(const Flag& flag) {
  std::string out = ".TP\n";
  std::string value = flag.choices.empty() ? flag.value : joined(flag.choices, "|");
  std::string line;
  for (const auto& name : flag.names)
    line += (line.empty() ? "\\fB" : ", \\fB") + roff(name) + "\\fR";
  if (!value.empty()) line += " \\fI" + roff(value) + "\\fR";
  return out + line + "\n" + roff(flag.help) + "\n";
}

std::string sentence(const std::string& text) {
  bool ended = text.empty() || text.back() == '.' || text.back() == '?';
  return roff(text) + (ended ? "\n" : ".\n");
}

std::string roff_command(const Entry& entry) {
  std::string out = ".SS \"meridian " + roff(entry.path);
  for (const CLI::Option* operand : operands_of(*entry.app))
    out += " " + roff(operand->get_name());
  out += "\"\n" + sentence(entry.app->get_description());
  for (const CLI::Option* operand : operands_of(*entry.app))
    out += ".TP\n\\fI" + roff(operand->get_name()) + "\\fR\n" +
           roff(operand->get_description()) + "\n";
  for (const auto& flag : flags_of(*entry.app))
    if (flag.names.back() != "--help") out += roff_flag(flag);
  return out;
}

}  // namespace

std::string completion_for_bash(const CLI::App& app) {
  std::string out =
      "# Completion of meridian for bash: meridian completion bash > "
      "/etc/bash_completion.d/meridian\n"
      "_meridian() {\n"
      "  local word path= at\n"
      "  for ((at = 1; at < COMP_CWORD; at++)); do\n"
      "    word=${COMP_WORDS[at]}\n" +
      find_path(app) +
      "  done\n"
      "  local current=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]} words=\n"
      "  case \"$path $before\" in\n" +
      cases_of_choices(app, "words=", ";;") +
      "  esac\n"
      "  if [ -z \"$words\" ]; then\n"
      "  case \"$path\" in\n";
  for (const auto& entry : entries_of(app))
    out += "    " + quoted(entry.path) + ") words=" + quoted(joined(words_after(entry, app), " ")) +
           ";;\n";
  return out +
         "  esac\n"
         "  fi\n"
         "  COMPREPLY=($(compgen -W \"$words\" -- \"$current\"))\n"
         "}\n"
         "complete -o default -F _meridian meridian\n";
}

std::string completion_for_zsh(const CLI::App& app) {
  std::string out =
      "#compdef meridian\n"
      "# Completion of meridian for zsh: meridian completion zsh > "
      "\"${fpath[1]}/_meridian\"\n"
      "_meridian() {\n"
      "  local word path_=\"\" at\n"
      "  local -a found\n"
      "  for ((at = 2; at < CURRENT; at++)); do\n"
      "    word=${words[at]}\n";
  // ($path is the search path in zsh.)
  std::string finder = find_path(app);
  for (std::size_t at = 0; (at = finder.find("path", at)) != std::string::npos; at += 5)
    finder.replace(at, 4, "path_");
  out += finder +
         "  done\n"
         "  case \"$path_ ${words[CURRENT - 1]}\" in\n" +
         cases_of_choices(app, "compadd -- ${=:-", "}; return;;") +
         "  esac\n"
         "  case \"$path_\" in\n";
  for (const auto& entry : entries_of(app)) {
    out += "    " + quoted(entry.path) + ") found=(";
    auto add = [&out](const std::string& name, const std::string& help) {
      std::string plain;
      for (char c : name) plain += c == ':' ? "\\:" : std::string(1, c);
      out += "\n      " + quoted(plain + ":" + help);
    };
    for (const CLI::App* child : entry.app->get_subcommands({}))
      add(child->get_name(), child->get_description());
    for (const CLI::Option* operand : operands_of(*entry.app))
      for (const auto& choice : choices_of(*operand)) add(choice, operand->get_description());
    for (const auto& flag : flags_of(*entry.app))
      for (const auto& name : flag.names) add(name, flag.help);
    if (entry.app != &app)
      for (const auto& flag : flags_of(app))
        if (flag.names.back() != "--help" && flag.names.back() != "--version")
          for (const auto& name : flag.names) add(name, flag.help);
    out += ");;\n";
  }
  return out +
         "  esac\n"
         "  _describe 'meridian' found || _files\n"
         "}\n"
         "_meridian \"$@\"\n";
}

std::string manual_page(const CLI::App& app, const std::string& version) {
  std::string out = ".TH MERIDIAN 1 \"\" \"meridian " + roff(version) + "\"\n" +
                    ".SH NAME\nmeridian \\- look after a Meridian deployment\n"
                    ".SH SYNOPSIS\n.B meridian\n[\\fIOPTION\\fR]... \\fICOMMAND\\fR ...\n"
                    ".SH DESCRIPTION\n"
                    "Asks the regions of a Meridian deployment how they are, and tells them what "
                    "to do.\nWithout\n.B \\-\\-deployment\nit finds the deployment by itself: "
                    "var/deployment.yaml in this folder, or in the nearest one above it.\n"
                    ".SH OPTIONS\nThey may stand before or after the command.\n";
  for (const auto& flag : flags_of(app)) out += roff_flag(flag);
  out += ".SH COMMANDS\n";
  for (const auto& entry : entries_of(app))
    if (!entry.path.empty() && is_leaf(*entry.app)) out += roff_command(entry);
  out += ".SH EXIT STATUS\n";
  for (const auto& line : split(app.get_footer(), '\n')) out += roff(line) + "\n";
  out += ".br\n`drill run' has codes of its own: 0 PASS, 1 an objective was missed, 2 wrong usage, "
         "3 the preflight refused, 4 aborted and healed, 5 the tool failed.\n";
  out += ".SH ENVIRONMENT\n";
  for (const CLI::Option* option : app.get_options())
    if (!option->get_envname().empty())
      out += ".TP\n.B " + roff(option->get_envname()) + "\nThe same as " +
             roff("--" + option->get_lnames().front()) + ".\n";
  return out + ".TP\n.B NO_COLOR\nNo colours, also on a terminal.\n" +
         ".SH FILES\n.TP\n.I var/deployment.yaml\nWhere the regions are; deploy/up writes it.\n" +
         ".SH SEE ALSO\nREADME.md, docs/RUNBOOK.md and docs/DRILLS.md of the source.\n";
}

void add_manual_commands(CLI::App& app, const std::string& version, std::function<int()>& run) {
  auto shell = std::make_shared<std::string>();
  auto* completion = app.add_subcommand("completion", "Print completion for a shell");
  completion->add_option("shell", *shell, "bash or zsh")
      ->required()
      ->check(CLI::IsMember({"bash", "zsh"}));
  completion->callback([&app, &run, shell] {
    run = [&app, shell] {
      print(*shell == "bash" ? completion_for_bash(app) : completion_for_zsh(app));
      return kExitYes;
    };
  });
  auto* man = app.add_subcommand("man", "Print the manual page, for man -l");
  man->callback([&app, &run, version] {
    run = [&app, version] {
      print(manual_page(app, version));
      return kExitYes;
    };
  });
}

}  // namespace meridian::cli
