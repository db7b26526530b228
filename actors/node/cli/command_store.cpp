// actors/node/cli/command_store.cpp - `lucid store audit`: are the copies on other nodes there, and what they should be?
#include <algorithm>
#include <map>
#include <memory>

#include <fmt/format.h>

#include "actors/node/cli/acting.hpp"
#include "actors/node/cli/commands.hpp"
#include "actors/node/cli/json.hpp"
#include "actors/node/cli/signals.hpp"

namespace lucid {
namespace {

using namespace std::chrono_literals;

/// One recording, all parts of it together.
struct recording_audit {
  session_summary what;
  std::uint32_t chunk_count = 0;
  std::vector<copy_audit> copies; ///< A row for each node that holds or should hold something.
  std::uint32_t short_count = 0;  ///< Chunks with fewer copies than are wished for.
};

/// Those whose id begins with `prefix`; all for none.
outcome<std::vector<session_summary>> chosen_sessions(const node_client& client, const std::string& prefix) {
  auto all = client.sessions();
  if (!all || prefix.empty()) return all;
  std::erase_if(*all, [&](const session_summary& s) { return !to_hex(s.id).starts_with(prefix); });
  if (all->empty()) return fail(errc::not_found, "lucid", "there is no session " + prefix);
  if (all->size() > 1)
    return fail(errc::invalid_input, "lucid", fmt::format("{} sessions begin with {}; give more digits", all->size(), prefix));
  return all;
}

void add_up(std::vector<copy_audit>& into, const copy_audit& more) {
  auto row = std::find_if(into.begin(), into.end(), [&](const copy_audit& c) { return c.node == more.node; });
  if (row == into.end()) {
    into.push_back(more);
    return;
  }
  row->held += more.held;
  row->verified += more.verified;
  row->damaged += more.damaged;
  row->missing += more.missing;
  if (row->failure.empty()) row->failure = more.failure;
}

/// Part by part, so that no answer takes long and the line moves.
outcome<recording_audit> audit_one(const node_client& client, const session_summary& s, stop_signals& signals,
                                   const std::function<void(std::uint32_t chunks)>& progressed) {
  recording_audit result{s, 0, {}, 0};
  for (std::uint32_t from = 0;;) {
    if (signals.wait(0ms)) return fail(errc::cancelled, "lucid", "stopped before all copies were checked");
    auto part = client.audit_copies(s.id, from);
    if (!part) return pass_on(std::move(part));
    if (!part->done && part->next <= from) return fail(errc::protocol_violation, "control", "the audit does not go on");
    result.chunk_count = part->chunk_count;
    for (auto& copy : part->copies) add_up(result.copies, copy);
    result.short_count += part->short_count;
    progressed(part->next - from);
    if (part->done) return result;
    from = part->next;
  }
}

/// Copies that have every chunk, each as it was sealed.
std::size_t whole_copies(const recording_audit& a) {
  return static_cast<std::size_t>(std::count_if(a.copies.begin(), a.copies.end(), [&](const copy_audit& c) {
    return a.chunk_count > 0 && c.verified == a.chunk_count;
  }));
}

bool is_damaged(const recording_audit& a) {
  return std::any_of(a.copies.begin(), a.copies.end(), [](const copy_audit& c) { return c.damaged + c.missing > 0; });
}

bool is_unasked(const recording_audit& a) {
  return std::any_of(a.copies.begin(), a.copies.end(), [](const copy_audit& c) { return !c.failure.empty(); });
}

/// What came of it, for the last line and the exit code.
struct audit_sum {
  std::size_t recordings = 0, damaged = 0, short_of_copies = 0, unasked = 0;
  std::size_t spread = 0; ///< Enough copies of each chunk, but not all of them at as many nodes.
};

audit_sum sum_of(const std::vector<recording_audit>& audits, std::uint32_t wished) {
  audit_sum sum;
  sum.recordings = audits.size();
  for (auto& a : audits) {
    sum.damaged += is_damaged(a);
    sum.short_of_copies += a.short_count != 0;
    sum.unasked += is_unasked(a);
    sum.spread += a.chunk_count > 0 && whole_copies(a) < wished;
  }
  return sum;
}

exit_code code_of(const audit_sum& sum) {
  if (sum.damaged != 0) return exit_code::damaged;
  if (sum.short_of_copies != 0) return exit_code::failure;
  return sum.unasked != 0 ? exit_code::not_now : exit_code::ok;
}

std::string in_words(const audit_sum& sum, std::uint32_t wished) {
  auto of_all = [&](std::size_t count) { return fmt::format("{} of {} recordings", count, sum.recordings); };
  auto copies = fmt::format("{} cop{}", wished, wished == 1 ? "y" : "ies");
  std::string text;
  if (sum.damaged != 0) text += fmt::format("Copies of {} were damaged or missing; they are made again. ", of_all(sum.damaged));
  if (sum.short_of_copies != 0)
    text += fmt::format("{} have chunks with fewer than {}; the node goes on making them. ", of_all(sum.short_of_copies), copies);
  if (sum.unasked != 0) text += fmt::format("Not all holders of {} could be asked. ", of_all(sum.unasked));
  if (!text.empty()) {
    text.pop_back();
    return text;
  }
  if (sum.recordings == 0) return "There is no recording to check.";
  if (sum.spread != 0)
    return fmt::format("All is as wished: each chunk has {} beside ours; those of {} are spread over more nodes.", copies,
                       of_all(sum.spread));
  return fmt::format("All is as wished: each recording has {} whole cop{} beside ours.", wished, wished == 1 ? "y" : "ies");
}

json as_json(const std::vector<recording_audit>& audits, std::uint32_t wished) {
  auto rows = json::array();
  for (auto& a : audits) {
    auto copies = json::array();
    for (auto& c : a.copies)
      copies.push_back({{"node", to_hex(c.node)}, {"name", c.name}, {"held", c.held}, {"verified", c.verified},
                        {"damaged", c.damaged}, {"missing", c.missing}, {"failure", c.failure}});
    rows.push_back({{"session", to_hex(a.what.id)}, {"chunk_count", a.chunk_count}, {"whole_copies", whole_copies(a)}, {"short_count", a.short_count},
                    {"copies", copies}});
  }
  return {{"copies_wished", wished}, {"recordings", rows}};
}

void print(command_context& context, const std::vector<recording_audit>& audits, const audit_sum& sum, std::uint32_t wished) {
  table rows({{"recording"}, {"chunks", table::align::right}, {"node"}, {"held", table::align::right},
              {"verified", table::align::right}, {"damaged", table::align::right}, {"missing", table::align::right}, {"note"}});
  for (auto& a : audits) {
    auto chunks = std::to_string(a.chunk_count);
    if (a.copies.empty()) rows.add({short_id(a.what.id), chunks, "-", "-", "-", "-", "-", a.chunk_count == 0 ? "nothing to copy" : "no copy yet"});
    for (auto& c : a.copies)
      rows.add({short_id(a.what.id), chunks, c.name, std::to_string(c.held), c.failure.empty() ? std::to_string(c.verified) : "-",
                std::to_string(c.damaged), std::to_string(c.missing), c.failure});
  }
  rows.print(context.out);
  context.out << in_words(sum, wished) << '\n';
}

command_result audit(command_context& context, const std::string& prefix) {
  auto client = node_of(context);
  if (!client) return pass_on(std::move(client));
  auto status = client->replication();
  if (!status) return pass_on(std::move(status));
  auto sessions = chosen_sessions(*client, prefix);
  if (!sessions) return pass_on(std::move(sessions));
  std::uint64_t total = 0, done = 0;
  for (auto& s : *sessions) total += s.chunk_count;
  stop_signals signals;
  std::vector<recording_audit> audits;
  {
    auto line = context.make_progress("checking copies", total, progress_unit::count);
    for (auto& s : *sessions) {
      auto one = audit_one(*client, s, signals,
                           [&](std::uint32_t chunks) { line.update(done += chunks, short_id(s.id)); });
      if (!one && one.error().code == errc::not_found) continue; // Removed, or so new that nobody was asked to copy it.
      if (!one) return pass_on(std::move(one));
      audits.push_back(std::move(*one));
    }
    line.finish();
  }
  auto sum = sum_of(audits, status->copies);
  if (context.options.json)
    print_json(context.out, as_json(audits, status->copies));
  else
    print(context, audits, sum, status->copies);
  return code_of(sum);
}

} // namespace

command_spec store_audit_command() {
  return {.name = "store audit",
          .summary = "Have all nodes that hold copies of our recordings read and check them.",
          .details = "ID is the beginning of a session id; without it all recordings are checked. Each holder reads every byte, so it "
                     "takes as long as that takes. A copy that is damaged is removed there and made again by itself. Ends with "
                     "0 when each chunk has replication.copies good copies, with 4 when a copy was damaged or missing, with 1 "
                     "when chunks have too few copies, with 8 when a node could not be asked; of several the first. The last line says it in words.",
          .examples = {{"lucid store audit", "every recording"}, {"lucid store audit 3f9a --json", "one of them, for a program"}},
          .hidden = false,
          .declare = [](command_options& app) -> command_action {
            auto id = std::make_shared<std::string>();
            app.add_option("ID", *id, "Session");
            return [id](command_context& context) { return audit(context, *id); };
          }};
}

} // namespace lucid
