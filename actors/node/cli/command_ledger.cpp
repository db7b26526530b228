// actors/node/cli/command_ledger.cpp - `lucid ledger show|verify`: the chain of this node.
#include <algorithm>
#include <chrono>
#include <memory>
#include <optional>

#include <fmt/core.h>

#include "actors/console/archive_json.hpp"
#include "actors/ledger/ledger.hpp"
#include "actors/ledger/ledger_file.hpp"
#include "actors/node/cli/commands.hpp"
#include "actors/node/cli/json.hpp"
#include "actors/node/cli/signals.hpp"
#include "actors/node/cli/trust.hpp"
#include "actors/node/session_text.hpp"
#include "adapters/files/posix_file_system.hpp"
#include "messages/data_layout.hpp"

namespace lucid {
namespace {

using namespace std::chrono_literals;

struct show_options {
  std::optional<std::uint64_t> height;
  std::uint32_t count = 20;
};

outcome<ledger_file> open_chain(command_context& context) {
  auto loaded = context.load_settings();
  if (!loaded) return pass_on(std::move(loaded));
  auto& folder = loaded->values.node.data_dir;
  auto file = ledger_file_name(folder);
  posix_file_system files;
  if (auto size = files.size_of(file); !size && size.error().code == errc::not_found)
    return fail(errc::not_found, "lucid", fmt::format("there is no chain in {} yet; --data-dir names another folder", folder.string()));
  return ledger_file::open_read_only(file);
}

command_result show_block(command_context& context, ledger_file& chain, const block_header& block) {
  auto entries = chain.entries(block.height);
  if (!entries) return pass_on(std::move(entries));
  if (context.options.json) {
    print_json(context.out, to_json(full_block{block, std::move(*entries)}));
    return exit_code::ok;
  }
  auto& out = context.out;
  out << fmt::format("block         {}\nhash          {}\nprevious      {}\n", block.height, to_hex(hash_of(block)), to_hex(block.previous));
  out << fmt::format("time          {}, slot {}\n", time_text(block.time_us), block.slot);
  out << fmt::format("entries root  {}\nproducer      {}\nsignature     {}\n", to_hex(block.entries_root), to_hex(block.producer), to_hex(block.by));
  out << fmt::format("entries       {}\n", block.entry_count);
  if (entries->empty()) return exit_code::ok;
  out << '\n';
  table rows({{"recording"}, {"sealed"}, {"manifest hash"}});
  for (auto& entry : *entries) rows.add({short_id(entry.session), time_text(entry.sealed_us), to_hex(entry.manifest_hash)});
  rows.print(out);
  return exit_code::ok;
}

void show_blocks(command_context& context, const std::vector<block_header>& blocks) {
  json lines = json::array();
  table rows({{"block", table::align::right}, {"time"}, {"slot", table::align::right}, {"entries", table::align::right}, {"hash"}, {"producer"}});
  for (auto block = blocks.rbegin(); block != blocks.rend(); ++block) {
    lines.emplace_back(to_json(*block));
    rows.add({std::to_string(block->height), time_text(block->time_us), std::to_string(block->slot), std::to_string(block->entry_count),
              to_hex(byte_view(hash_of(*block)).first(16)) + "...", to_hex(byte_view(block->producer).first(8)) + "..."});
  }
  if (context.options.json) print_json(context.out, lines);
  else rows.print(context.out);
}

command_result show(command_context& context, const show_options& options) {
  auto chain = open_chain(context);
  if (!chain) return pass_on(std::move(chain));
  auto head = chain->head();
  if (!head) return pass_on(std::move(head));
  if (!*head) return fail(errc::not_found, "lucid", "the chain is empty: the node makes its first block when it starts");
  if (options.height && *options.height > (*head)->height)
    return fail(errc::not_found, "lucid", fmt::format("there is no block {} yet; the newest is block {}", *options.height, (*head)->height));
  auto from = options.height ? *options.height : (*head)->height - std::min<std::uint64_t>((*head)->height, options.count - 1);
  auto blocks = chain->headers(from, options.height ? 1 : options.count);
  if (!blocks) return pass_on(std::move(blocks));
  if (options.height && blocks->empty())
    return fail(errc::corrupted, "ledger", fmt::format("block {} is missing; `lucid ledger verify` checks the whole chain", from));
  if (options.height) return show_block(context, *chain, blocks->front());
  show_blocks(context, *blocks);
  return exit_code::ok;
}

command_result verify(command_context& context, const std::string& producer) {
  std::optional<sign_public_key> wanted;
  if (!producer.empty()) {
    auto key = parse_signer(producer, "--producer");
    if (!key) return pass_on(std::move(key));
    wanted = *key;
  }
  auto chain = open_chain(context);
  if (!chain) return pass_on(std::move(chain));
  auto head = chain->head();
  if (!head) return pass_on(std::move(head));
  stop_signals signals;
  auto line = context.make_progress("verifying", *head ? (*head)->height + 1 : 0, progress_unit::count);
  auto status = verify_chain(*chain, wanted, [&](std::uint64_t done, std::uint64_t) {
    line.update(done, "blocks");
    return !signals.wait(0ms).has_value();
  });
  if (!status) return pass_on(std::move(status));
  line.finish();
  auto signer = *head ? to_hex((*head)->producer) : std::string();
  if (context.options.json) {
    print_json(context.out, {{"intact", true}, {"height", status->height}, {"entry_count", status->entry_count},
                             {"last_block_us", status->last_block_us}, {"producer", signer}});
    return exit_code::ok;
  }
  context.out << fmt::format("blocks    {} (0 to {}), the last of {}\nentries   {}\nproducer  {}\n\n", status->height + 1, status->height,
                             time_text(status->last_block_us), status->entry_count, signer);
  context.out << "INTACT: every block is signed, linked to the one before it, and holds its entries.\n";
  return exit_code::ok;
}

} // namespace

command_spec ledger_show_command() {
  return {.name = "ledger show",
          .summary = "Show the newest blocks of the chain, or one block with its entries.",
          .details = {},
          .examples = {{"lucid ledger show", "the newest twenty, newest first"},
                       {"lucid ledger show --height 12", "block 12: which recordings it anchors"}},
          .hidden = false,
          .declare = [](command_options& app) -> command_action {
            auto o = std::make_shared<show_options>();
            auto height = app.add_option("--height", o->height, "One block").type_name("N");
            app.add_option("--count", o->count, "How many blocks").between(1, 1000).type_name("N").excludes(height);
            return [o](command_context& context) { return show(context, *o); };
          }};
}

command_spec ledger_verify_command() {
  return {.name = "ledger verify",
          .summary = "Check every block of the chain: fields, signature, link, entries.",
          .details = "Ends with 4 at the first block that is wrong, and names it.",
          .examples = {{"lucid ledger verify", "the whole chain"},
                       {"lucid ledger verify --producer node.pub", "and that this key made every block (from `lucid keys export node`)"}},
          .hidden = false,
          .declare = [](command_options& app) -> command_action {
            auto producer = std::make_shared<std::string>();
            app.add_option("--producer", *producer, "Signing key that must have made the blocks").type_name("KEY");
            return [producer](command_context& context) { return verify(context, *producer); };
          }};
}

} // namespace lucid
