// What can be read off the command line's own description: completion for bash and zsh, and the
// manual page.  `meridian completion bash|zsh` and `meridian man` print them.
//
// Threads: one.
#pragma once

#include <functional>
#include <string>

namespace CLI {
class App;
}

namespace meridian::cli {

std::string completion_for_bash(const CLI::App& app);
std::string completion_for_zsh(const CLI::App& app);
// In roff, for man(1).
std::string manual_page(const CLI::App& app, const std::string& version);

// Each sets `run` when its command is given.  `app` and `run` outlive the parser.
void add_manual_commands(CLI::App& app, const std::string& version, std::function<int()>& run);

}  // namespace meridian::cli
