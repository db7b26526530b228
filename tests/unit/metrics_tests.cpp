// tests/unit/metrics_tests.cpp - metrics keep their names, counters never fall, sessions do not multiply the series.
#define BOOST_TEST_MODULE metrics_tests
#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <set>

#include "actors/console/metrics_core.hpp"

using namespace lucid;
using namespace std::chrono_literals;

namespace {

inspection actor(std::string path, std::uint64_t handled, std::uint64_t incarnation = 1) {
  inspection seen;
  seen.path = std::move(path);
  seen.incarnation = incarnation;
  seen.present = true;
  seen.handled_count = handled;
  return seen;
}

node_measures full_node() {
  node_measures node;
  node.version = "0.1.0";
  node.started_us = 1'700'000'000'500'000;
  node.machine.emplace();
  node.machine->temperature_c = 55.5;
  node.machine->throttled_now = true;
  node.machine->throttle_count = 3;
  node.machine->cpu_busy = 1500ms;
  node.machine->network = {{"eth0", 10, 20}};
  node.sessions = {{session_state::recording, 2}};
  node.running = {100, 60, 1};
  node.ledger_height = 7;
  node.ledger_entries = 9;
  auto& cluster = node.cluster.emplace();
  cluster.name = "field";
  cluster.self = node_id{1};
  auto add = [&](std::uint8_t id, member_state state) {
    auto& one = cluster.members.emplace_back();
    one.id = node_id{id};
    one.state = state;
  };
  add(1, member_state::self);
  add(2, member_state::up);
  add(3, member_state::down);
  add(4, member_state::down);
  cluster.leases = {{"seal", 0, node_id{1}, 7, 900}, {"seal", 1, node_id{2}, 3, 900}, {"anchor", 0, node_id{}, 2, 0}};
  auto& copies = node.replication.emplace();
  copies.copies = 2;
  copies.chunk_count = 10;
  copies.replicated_count = 6;
  copies.without_copy_count = 1;
  copies.holders = {{node_id{2}, "b", true, 6, 600, 50, 1, 2}, {node_id{3}, "c", false, 6, 600, 8, 0, 4}};
  return node;
}

struct scraped {
  explicit scraped(std::vector<inspection> actors) { take(std::move(actors)); }
  void take(std::vector<inspection> actors) { core.take_actors(actors); }
  std::string text() const { return metrics_text(core.families(full_node())); }
  bool has(const std::string& line) const { return ("\n" + text()).find("\n" + line + "\n") != std::string::npos; }
  metrics_core core;
};

} // namespace

// Dashboards and alert rules name these. A change here is a change of the interface.
BOOST_AUTO_TEST_CASE(the_names_are_these) {
  std::vector<std::string> names;
  scraped s({actor("root", 1)});
  for (auto& family : s.core.families(full_node())) names.push_back(family.name);
  std::vector<std::string> expected{
    "lucid_build_info", "process_start_time_seconds", "lucid_draining", "lucid_memory_bound_bytes", "lucid_sessions",
    "lucid_running_captured_bytes", "lucid_running_stored_bytes", "lucid_running_gaps",
    "lucid_ledger_height", "lucid_ledger_entries_total", "lucid_console_logins", "lucid_console_streams",
    "lucid_console_refusals_total", "lucid_audit_entries_total", "lucid_cluster_members", "lucid_cluster_leases_held",
    "lucid_replication_chunks", "lucid_replication_challenges_total", "process_resident_memory_bytes", "process_open_fds",
    "process_max_fds", "lucid_machine_cores", "lucid_machine_cpu_seconds_total", "lucid_machine_cpu_busy_seconds_total",
    "lucid_machine_memory_bytes", "lucid_machine_memory_available_bytes", "lucid_machine_temperature_celsius",
    "lucid_machine_throttled", "lucid_machine_throttle_events_total", "lucid_disk_free_bytes", "lucid_disk_size_bytes",
    "lucid_network_receive_bytes_total", "lucid_network_transmit_bytes_total", "lucid_actors", "lucid_actors_absent",
    "lucid_actor_messages_total", "lucid_actor_restarts_total", "lucid_actor_dead_letters_total",
    "lucid_actor_mailbox_messages", "lucid_actor_busy_ratio", "lucid_actor_handler_seconds"};
  BOOST_TEST(names == expected, boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(names_and_help_keep_the_rules) {
  scraped s({actor("root", 1)});
  std::set<std::string> seen;
  for (auto& family : s.core.families(full_node())) {
    BOOST_TEST(seen.insert(family.name).second, family.name);
    BOOST_TEST(family.help.back() == '.', family.name);
    BOOST_TEST(family.name.ends_with("_total") == (family.kind == metric_kind::counter), family.name);
    BOOST_TEST(s.has("# HELP " + family.name + " " + family.help));
  }
}

BOOST_AUTO_TEST_CASE(the_text_is_that_of_prometheus) {
  scraped s({actor("storage/store", 5)});
  BOOST_TEST(s.has("# TYPE lucid_actor_messages_total counter"));
  BOOST_TEST(s.has("lucid_actor_messages_total{path=\"storage/store\"} 5"));
  BOOST_TEST(s.has("lucid_sessions{state=\"recording\"} 2"));
  BOOST_TEST(s.has("lucid_sessions{state=\"failed\"} 0"));
  BOOST_TEST(s.has("lucid_running_stored_bytes 60"));
  BOOST_TEST(s.has("lucid_running_gaps 1"));
  BOOST_TEST(s.has("lucid_build_info{version=\"0.1.0\"} 1"));
  BOOST_TEST(s.has("process_start_time_seconds 1700000000.5"));
  BOOST_TEST(s.has("lucid_machine_temperature_celsius 55.5"));
  BOOST_TEST(s.has("lucid_machine_cpu_busy_seconds_total 1.5"));
  BOOST_TEST(s.has("lucid_network_transmit_bytes_total{interface=\"eth0\"} 20"));
}

BOOST_AUTO_TEST_CASE(the_cluster_and_its_copies_are_counted) {
  scraped s({});
  BOOST_TEST(s.has("lucid_cluster_members{state=\"self\"} 1"));
  BOOST_TEST(s.has("lucid_cluster_members{state=\"up\"} 1"));
  BOOST_TEST(s.has("lucid_cluster_members{state=\"down\"} 2"));
  BOOST_TEST(s.has("lucid_cluster_leases_held 1"));
  BOOST_TEST(s.has("lucid_replication_chunks{state=\"replicated\"} 6"));
  BOOST_TEST(s.has("lucid_replication_chunks{state=\"partly\"} 3"));
  BOOST_TEST(s.has("lucid_replication_chunks{state=\"without_copy\"} 1"));
  BOOST_TEST(s.has("lucid_replication_challenges_total{outcome=\"ok\"} 58"));
  BOOST_TEST(s.has("lucid_replication_challenges_total{outcome=\"failed\"} 1"));
  BOOST_TEST(s.has("lucid_replication_challenges_total{outcome=\"late\"} 6"));
}

// A lease that nobody holds is not held by a node that has no identity yet; no copies wished for are none missing.
BOOST_AUTO_TEST_CASE(a_node_without_identity_or_copies_counts_none) {
  metrics_core core;
  auto node = full_node();
  node.cluster->self = node_id{};
  node.replication->copies = 0;
  auto text = metrics_text(core.families(node));
  BOOST_TEST(text.find("lucid_cluster_leases_held 0\n") != std::string::npos);
  BOOST_TEST(text.find("lucid_replication_") == std::string::npos);
}

BOOST_AUTO_TEST_CASE(what_is_not_known_is_left_out) {
  metrics_core core;
  auto text = metrics_text(core.families({}));
  for (auto name : {"lucid_cluster_", "lucid_replication_", "lucid_ledger_height", "lucid_machine_", "process_open_fds", "lucid_actor_"})
    BOOST_TEST(text.find(name) == std::string::npos, name);
  BOOST_TEST(text.find("lucid_draining 0") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(the_actors_of_all_sessions_are_told_together) {
  BOOST_TEST(metrics_core::role_of("storage/store") == "storage/store");
  BOOST_TEST(metrics_core::role_of("sessions") == "sessions");
  BOOST_TEST(metrics_core::role_of("sessions/ab12") == "sessions/*");
  BOOST_TEST(metrics_core::role_of("sessions/ab12/seal") == "sessions/*/seal");
  auto a = actor("sessions/a/seal", 5), b = actor("sessions/b/seal", 7);
  a.mailbox_length = 3;
  b.mailbox_length = 2;
  b.busy_share = 0.5;
  b.present = false;
  a.times.p99_ns = 2'000'000;
  scraped s({a, b});
  BOOST_TEST(s.has("lucid_actor_messages_total{path=\"sessions/*/seal\"} 12"));
  BOOST_TEST(s.has("lucid_actor_mailbox_messages{path=\"sessions/*/seal\"} 3"));
  BOOST_TEST(s.has("lucid_actor_busy_ratio{path=\"sessions/*/seal\"} 0.5"));
  BOOST_TEST(s.has("lucid_actors{path=\"sessions/*/seal\"} 1"));
  BOOST_TEST(s.has("lucid_actors_absent{path=\"sessions/*/seal\"} 1"));
  BOOST_TEST(s.has("lucid_actor_handler_seconds{path=\"sessions/*/seal\",percentile=\"99\"} 0.002"));
}

BOOST_AUTO_TEST_CASE(counters_never_fall) {
  scraped s({actor("sessions/a/seal", 5), actor("store", 10)});
  s.take({actor("store", 4, 2)}); // The session ended; the store was restarted.
  BOOST_TEST(s.has("lucid_actor_messages_total{path=\"sessions/*/seal\"} 5"));
  BOOST_TEST(s.has("lucid_actors{path=\"sessions/*/seal\"} 0"));
  BOOST_TEST(s.has("lucid_actor_messages_total{path=\"store\"} 14"));
  s.take({actor("store", 6, 2), actor("sessions/b/seal", 2)});
  BOOST_TEST(s.has("lucid_actor_messages_total{path=\"store\"} 16"));
  BOOST_TEST(s.has("lucid_actor_messages_total{path=\"sessions/*/seal\"} 7"));
}

BOOST_AUTO_TEST_CASE(restarts_are_those_of_the_path) {
  auto once = actor("store", 1, 2), twice = actor("store", 1, 3);
  once.restart_count = 1;
  once.dead_letter_count = 4;
  twice.restart_count = 2;
  twice.dead_letter_count = 4;
  scraped s({once});
  s.take({twice});
  BOOST_TEST(s.has("lucid_actor_restarts_total{path=\"store\"} 2"));
  BOOST_TEST(s.has("lucid_actor_dead_letters_total{path=\"store\"} 4"));
}
