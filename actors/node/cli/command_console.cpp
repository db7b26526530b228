// actors/node/cli/command_console.cpp - `lucid console open`: the link that lets a browser in.
#include <cerrno>
#include <cstring>
#include <memory>

#include <fmt/core.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include "actors/node/cli/acting.hpp"
#include "actors/node/cli/commands.hpp"
#include "actors/node/cli/json.hpp"
#include "runtime/log/text.hpp"

namespace lucid {
namespace {

constexpr auto opener = "xdg-open";

bool is_web_link(const std::string& link) {
  return (link.starts_with("http://") || link.starts_with("https://")) && printable(link) == link &&
         link.find_first_of(" \"'\\") == std::string::npos;
}

/// Has the desktop open `link`.
outcome<void> show_in_browser(const std::string& link) {
  std::string program(opener), argument(link);
  char* arguments[] = {program.data(), argument.data(), nullptr};
  pid_t child = 0;
  if (auto failed = ::posix_spawnp(&child, opener, nullptr, nullptr, arguments, environ); failed != 0)
    return fail(errc::missing_dependency, "lucid",
                fmt::format("{} cannot be started: {}; open the link by hand", opener, std::strerror(failed)));
  int status = 0;
  while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {}
  if (WIFEXITED(status) && WEXITSTATUS(status) == 0) return {};
  return fail(errc::unsupported, "lucid", fmt::format("{} found no browser; open the link by hand", opener));
}

command_result open_console(command_context& context, bool in_browser) {
  auto client = node_of(context);
  if (!client) return pass_on(std::move(client));
  auto link = client->login_link();
  if (!link) return pass_on(std::move(link));
  if (!is_web_link(*link)) return fail(errc::protocol_violation, "control", "the node answered with something that is no link");
  if (context.options.json) print_json(context.out, {{"url", *link}});
  else context.out << *link << '\n';
  if (!context.options.quiet) context.err << "It works once, for ten minutes. Who has it is the operator: do not pass it on.\n";
  context.out.flush(); // The link is there whatever becomes of the browser.
  if (in_browser)
    if (auto shown = show_in_browser(*link); !shown) return pass_on(std::move(shown));
  return exit_code::ok;
}

} // namespace

command_spec console_open_command() {
  return {
      .name = "console open",
      .summary = "Print the link that opens the running node's console in a browser.",
      .details = "The link works once, for ten minutes. From another machine: forward the port first, such as by "
                 "`ssh -L 8083:127.0.0.1:8083 pi`.",
      .examples = {{"lucid console open", "print the link"}, {"lucid console open --browser", "and have the desktop open it"}},
      .hidden = false,
      .declare = [](command_options& app) -> command_action {
        auto in_browser = std::make_shared<bool>(false);
        app.add_flag("--browser", *in_browser, "Open it, by xdg-open");
        return [in_browser](command_context& context) { return open_console(context, *in_browser); };
      }};
}

} // namespace lucid
