// actors/console/metrics_core.cpp - the families, in the order in which they are told.
#include "actors/console/metrics_core.hpp"

#include <algorithm>

#include "messages/paths.hpp"

namespace lucid {
namespace {

constexpr double microseconds_a_second = 1e6;
constexpr double nanoseconds_a_second = 1e9;
constexpr auto counter = metric_kind::counter;
constexpr auto gauge = metric_kind::gauge;

double as_number(std::uint64_t value) { return static_cast<double>(value); }
double seconds_of(std::uint64_t ns) { return as_number(ns) / nanoseconds_a_second; }
double seconds_of(std::chrono::milliseconds duration) { return std::chrono::duration<double>(duration).count(); }

metric_family single(const char* name, const char* help, metric_kind kind, double value) {
  return {name, help, kind, {{value}}};
}

/// A family that is left out where the value is not known.
metric_family optional(const char* name, const char* help, metric_kind kind, std::optional<double> value) {
  metric_family family{name, help, kind};
  if (value) family.samples.push_back({*value});
  return family;
}

std::optional<double> as_number(const std::optional<std::uint64_t>& value) {
  return value ? std::optional(as_number(*value)) : std::nullopt;
}

metric_family of_sessions(const std::map<session_state, std::uint64_t>& by_state) {
  metric_family family{"lucid_sessions", "Sessions in the store, by state.", gauge};
  for (auto state : {session_state::created, session_state::recording, session_state::sealing, session_state::storing,
                     session_state::anchoring, session_state::completed, session_state::interrupted, session_state::failed}) {
    auto found = by_state.find(state);
    auto count = found == by_state.end() ? 0 : found->second;
    family.samples.push_back({as_number(count), {{"state", std::string(to_string(state))}}});
  }
  return family;
}

void write_node(const node_measures& node, std::vector<metric_family>& into) {
  into.push_back({"lucid_build_info", "The version that runs, as a label; always 1.", gauge, {{1, {{"version", node.version}}}}});
  into.push_back(single("process_start_time_seconds", "When the node started, in Unix time.", gauge,
                        static_cast<double>(node.started_us) / microseconds_a_second));
  into.push_back(single("lucid_draining", "1 while the node takes no new sessions.", gauge, node.draining ? 1 : 0));
  into.push_back(single("lucid_memory_bound_bytes", "The sum of the node's memory bounds.", gauge,
                        as_number(node.memory_bound_bytes)));
  into.push_back(of_sessions(node.sessions));
  auto of_running = [&](std::uint64_t node_measures::recording_sums::* sum) {
    return node.running ? std::optional(as_number((*node.running).*sum)) : std::nullopt;
  };
  using sums = node_measures::recording_sums;
  into.push_back(optional("lucid_running_captured_bytes", "What the sessions that run now have captured.", gauge,
                          of_running(&sums::captured_bytes)));
  into.push_back(optional("lucid_running_stored_bytes", "What of it is sealed and stored.", gauge,
                          of_running(&sums::stored_bytes)));
  into.push_back(optional("lucid_running_gaps", "Stretches that the sessions that run now did not see.", gauge,
                          of_running(&sums::gaps)));
  into.push_back(optional("lucid_ledger_height", "The height of the newest block.", gauge, as_number(node.ledger_height)));
  into.push_back(optional("lucid_ledger_entries_total", "Entries in the ledger.", counter, as_number(node.ledger_entries)));
  into.push_back(single("lucid_console_logins", "Operators logged in to the console.", gauge, as_number(node.console_logins)));
  into.push_back(single("lucid_console_streams", "Pages that watch the node.", gauge, as_number(node.console_streams)));
  into.push_back(single("lucid_console_refusals_total", "Requests that were refused: no credential, wrong origin, too large.",
                        counter, as_number(node.console_refusals)));
  into.push_back(single("lucid_audit_entries_total", "Actions of operators in the audit log.", counter,
                        as_number(node.audit_entries)));
}

void write_cluster(const cluster_view& cluster, std::vector<metric_family>& into) {
  metric_family members{"lucid_cluster_members", "Nodes of the cluster as this node sees them, by state.", gauge};
  for (auto state : {member_state::self, member_state::up, member_state::down}) {
    auto count = std::count_if(cluster.members.begin(), cluster.members.end(), [&](auto& one) { return one.state == state; });
    members.samples.push_back({static_cast<double>(count), {{"state", std::string(to_string(state))}}});
  }
  auto held = std::count_if(cluster.leases.begin(), cluster.leases.end(),
                            [&](auto& one) { return one.holder == cluster.self && one.holder != node_id{}; });
  into.push_back(std::move(members));
  into.push_back(single("lucid_cluster_leases_held", "Roles of the cluster that this node runs at present.", gauge,
                        static_cast<double>(held)));
}

void write_replication(const replication_status& told, std::vector<metric_family>& into) {
  metric_family chunks{"lucid_replication_chunks", "Chunks of own recordings, by how many copies other nodes hold.", gauge};
  auto placed = told.replicated_count + told.without_copy_count;
  auto partly = told.chunk_count > placed ? told.chunk_count - placed : 0;
  for (auto& [state, count] : {std::pair("replicated", told.replicated_count), std::pair("partly", partly),
                               std::pair("without_copy", told.without_copy_count)})
    chunks.samples.push_back({as_number(count), {{"state", state}}});
  metric_family challenges{"lucid_replication_challenges_total", "Challenges to the holders of copies, by outcome.", counter};
  std::uint64_t ok = 0, failed = 0, late = 0;
  for (auto& holder : told.holders) {
    ok += holder.challenges_ok;
    failed += holder.challenges_failed;
    late += holder.challenges_late;
  }
  for (auto& [outcome, count] : {std::pair("ok", ok), std::pair("failed", failed), std::pair("late", late)})
    challenges.samples.push_back({as_number(count), {{"outcome", outcome}}});
  into.push_back(std::move(chunks));
  into.push_back(std::move(challenges));
}

void write_machine(const machine_facts& facts, std::vector<metric_family>& into) {
  into.push_back(single("process_resident_memory_bytes", "Memory of the node's process.", gauge, as_number(facts.resident_bytes)));
  into.push_back(single("process_open_fds", "Files the node has open.", gauge, as_number(facts.open_files)));
  into.push_back(single("process_max_fds", "Files the node may have open.", gauge, as_number(facts.open_files_max)));
  into.push_back(single("lucid_machine_cores", "Processor cores.", gauge, facts.cores));
  into.push_back(single("lucid_machine_cpu_seconds_total", "Time of all cores, busy or idle.", counter, seconds_of(facts.cpu_total)));
  into.push_back(single("lucid_machine_cpu_busy_seconds_total", "Time of all cores that was not idle.", counter,
                        seconds_of(facts.cpu_busy)));
  into.push_back(single("lucid_machine_memory_bytes", "Memory of the machine.", gauge, as_number(facts.memory_bytes)));
  into.push_back(single("lucid_machine_memory_available_bytes", "Memory that programs can still have.", gauge,
                        as_number(facts.memory_available_bytes)));
  into.push_back(optional("lucid_machine_temperature_celsius", "The hottest sensor.", gauge, facts.temperature_c));
  into.push_back(optional("lucid_machine_throttled", "1 while the firmware slows the processor down.", gauge,
                          facts.throttled_now ? std::optional(*facts.throttled_now ? 1.0 : 0.0) : std::nullopt));
  into.push_back(optional("lucid_machine_throttle_events_total", "How often a core was slowed down.", counter,
                          as_number(facts.throttle_count)));
  into.push_back(single("lucid_disk_free_bytes", "Room on the disk of the data folder.", gauge, as_number(facts.disk.free_bytes)));
  into.push_back(single("lucid_disk_size_bytes", "Size of the disk of the data folder.", gauge, as_number(facts.disk.size_bytes)));
  metric_family received{"lucid_network_receive_bytes_total", "Bytes received, by interface.", counter};
  metric_family sent{"lucid_network_transmit_bytes_total", "Bytes sent, by interface.", counter};
  for (auto& each : facts.network) {
    received.samples.push_back({as_number(each.rx_bytes), {{"interface", each.name}}});
    sent.samples.push_back({as_number(each.tx_bytes), {{"interface", each.name}}});
  }
  into.push_back(std::move(received));
  into.push_back(std::move(sent));
}

} // namespace

std::string metrics_core::role_of(std::string_view path) {
  auto prefix = std::string(paths::sessions).append("/");
  if (!path.starts_with(prefix)) return std::string(path);
  auto rest = path.substr(prefix.size());
  auto slash = rest.find('/');
  return prefix.append("*").append(slash == std::string_view::npos ? "" : rest.substr(slash));
}

void metrics_core::add_growth(counts& sums, const counts& before, const counts& now) {
  auto growth = [](std::uint64_t from, std::uint64_t to) { return to >= from ? to - from : to; };
  sums.messages += now.incarnation == before.incarnation ? growth(before.messages, now.messages) : now.messages;
  sums.restarts += growth(before.restarts, now.restarts); // These two are of the path, over all incarnations.
  sums.dead_letters += growth(before.dead_letters, now.dead_letters);
}

void metrics_core::take_actors(std::span<const inspection> actors) {
  std::map<std::string, counts> present;
  for (auto& [name, each] : roles_) each = {.sums = each.sums};
  for (auto& actor : actors) {
    counts now{actor.incarnation, actor.handled_count, actor.restart_count, actor.dead_letter_count};
    auto& group = roles_[role_of(actor.path)];
    auto before = known_.find(actor.path);
    add_growth(group.sums, before == known_.end() ? counts{} : before->second, now);
    present[actor.path] = now;
    ++(actor.present ? group.present : group.absent);
    group.mailbox = std::max(group.mailbox, actor.mailbox_length);
    group.busy = std::max(group.busy, actor.busy_share);
    group.times.p50_ns = std::max(group.times.p50_ns, actor.times.p50_ns);
    group.times.p90_ns = std::max(group.times.p90_ns, actor.times.p90_ns);
    group.times.p99_ns = std::max(group.times.p99_ns, actor.times.p99_ns);
  }
  known_ = std::move(present);
}

void metrics_core::write_actors(std::vector<metric_family>& into) const {
  metric_family present{"lucid_actors", "Actors that are there, by role.", gauge};
  metric_family absent{"lucid_actors_absent", "Actors between two incarnations, or ended, by role.", gauge};
  metric_family messages{"lucid_actor_messages_total", "Messages and replies handled, by role.", counter};
  metric_family restarts{"lucid_actor_restarts_total", "Restarts, by role.", counter};
  metric_family letters{"lucid_actor_dead_letters_total", "Messages sent while nobody was there, by role.", counter};
  metric_family mailbox{"lucid_actor_mailbox_messages", "The longest mailbox, by role.", gauge};
  metric_family busy{"lucid_actor_busy_ratio", "Share of the last 10 to 20 s spent in handlers, the busiest, by role.", gauge};
  metric_family times{"lucid_actor_handler_seconds", "Percentiles of the time in a handler, the slowest, by role.", gauge};
  for (auto& [path, each] : roles_) {
    std::vector<std::pair<std::string, std::string>> labels{{"path", path}};
    auto add = [&labels](metric_family& family, double value) { family.samples.push_back({value, labels}); };
    add(present, as_number(each.present));
    add(absent, as_number(each.absent));
    add(messages, as_number(each.sums.messages));
    add(restarts, as_number(each.sums.restarts));
    add(letters, as_number(each.sums.dead_letters));
    add(mailbox, as_number(each.mailbox));
    add(busy, each.busy);
    // "quantile" would be a label of summaries, which these are not: nothing can be told of their sum and count.
    for (auto& [percentile, ns] : {std::pair("50", each.times.p50_ns), std::pair("90", each.times.p90_ns),
                                   std::pair("99", each.times.p99_ns)})
      times.samples.push_back({seconds_of(ns), {{"path", path}, {"percentile", percentile}}});
  }
  for (auto* family : {&present, &absent, &messages, &restarts, &letters, &mailbox, &busy, &times})
    into.push_back(std::move(*family));
}

std::vector<metric_family> metrics_core::families(const node_measures& node) const {
  std::vector<metric_family> all;
  write_node(node, all);
  if (node.cluster) write_cluster(*node.cluster, all);
  if (node.replication && node.replication->copies > 0) write_replication(*node.replication, all);
  if (node.machine) write_machine(*node.machine, all);
  write_actors(all);
  return all;
}

} // namespace lucid
