// actors/node/cli/command_worker.cpp - `lucid worker`: what the node starts for each session; not for people.
#include <cstdlib>
#include <memory>

#include "actors/node/cli/commands.hpp"
#include "actors/node/source_factory.hpp"

namespace lucid {

command_spec worker_command() {
  return {.name = "worker",
          .summary = "Capture and encode one session for the node that started this process.",
          .details = {},
          .examples = {},
          .hidden = true,
          .declare = [](command_options& app) -> command_action {
            auto fd = std::make_shared<int>(-1);
            app.add_option("--fd", *fd, "The socket to the node").required().between(3, 1'000'000);
            return [fd](command_context&) -> command_result {
              // Leaves at once: nothing of this process but the socket is anybody's concern.
              std::_Exit(worker_main(*fd, live_sources()));
            };
          }};
}

} // namespace lucid
