// tests/unit/machine_tests.cpp - what /proc and /sys say, what they might say, and the shares two looks make.
#define BOOST_TEST_MODULE machine_tests
#include <boost/test/unit_test.hpp>

#include <fstream>

#include <nlohmann/json.hpp>

#include "actors/console/machine_core.hpp"
#include "adapters/machine/proc_machine.hpp"
#include "adapters/machine/proc_text.hpp"
#include "tests/doubles/must.hpp"
#include "tests/doubles/temp_folder.hpp"

using namespace lucid;
using namespace std::chrono_literals;
using lucid::testing::must;
using lucid::testing::temp_folder;

namespace {

/// A machine made of files: a Raspberry Pi that is too warm.
struct planted_machine {
  planted_machine() {
    plant("proc/stat", "cpu  100 50 50 600 100 10 20 30 5 5\ncpu0 1 1 1 1 1 1 1 1 1 1\n");
    plant("proc/loadavg", "0.52 1.25 2.00 3/456 7890\n");
    plant("proc/meminfo", "MemTotal:        4000 kB\nMemFree:   100 kB\nMemAvailable:    3000 kB\n");
    plant("proc/self/statm", "765 437 408 5 0 123 0\n");
    plant("proc/self/task/11/stat", "11 (lucid) S 1 1 1 0 -1 4194304 1 2 3 4 100 50 0 0 20 0 8 0\n");
    plant("proc/self/task/12/stat", "12 (odd ) (name) R 1 1 1 0 -1 4194304 1 2 3 4 7 1 0 0 20 0 8 0\n");
    plant("proc/self/fd/0", "");
    plant("proc/self/fd/1", "");
    plant("proc/self/limits", "Limit   Soft Limit   Hard Limit   Units\nMax open files            1024                 4096        files\n");
    plant("proc/net/dev", "Inter-|   Receive  |  Transmit\n face |bytes    packets errs\n    lo: 9 1 0 0 0 0 0 0 9 1 0 0 0 0 0 0\n"
                          "  eth0:1431587903 35856 0 0 0 0 0 0 1650487 19936 0 0 0 0 0 0\n");
    plant("sys/class/thermal/thermal_zone0/temp", "61500\n");
    plant("sys/class/thermal/thermal_zone1/temp", "82300\n");
    plant("sys/class/thermal/thermal_zone2/temp", "-274000\n");
    plant("sys/devices/platform/soc/soc:firmware/get_throttled", "50004\n");
    plant("sys/devices/system/cpu/cpu0/thermal_throttle/core_throttle_count", "3\n");
    plant("sys/devices/system/cpu/cpu1/thermal_throttle/core_throttle_count", "4\n");
  }
  void plant(const std::string& name, const std::string& text) const {
    std::filesystem::create_directories((root.path() / name).parent_path());
    std::ofstream(root.path() / name) << text;
  }
  outcome<machine_facts> look() const { return proc_machine(root.path(), root.path()).look(); }
  temp_folder root;
};

} // namespace

BOOST_AUTO_TEST_CASE(a_machine_tells_of_itself) {
  planted_machine machine;
  auto facts = must(machine.look());
  BOOST_TEST((facts.cpu_total - facts.cpu_busy) / facts.cpu_busy == 2); // 700 idle, 260 busy.
  BOOST_TEST(facts.load[1] == 1.25);
  BOOST_TEST(facts.cores >= 1u);
  BOOST_TEST(facts.memory_bytes == 4000u * 1024);
  BOOST_TEST(facts.memory_available_bytes == 3000u * 1024);
  BOOST_TEST(facts.resident_bytes % 437 == 0u);
  BOOST_REQUIRE(facts.threads.size() == 2u);
  auto& odd = facts.threads[facts.threads[0].id == 12 ? 0 : 1];
  BOOST_TEST(odd.name == "odd ) (name");
  BOOST_TEST(facts.open_files == 2u);
  BOOST_TEST(facts.open_files_max == 1024u);
  BOOST_REQUIRE(facts.network.size() == 1u);
  BOOST_TEST(facts.network[0].name == "eth0");
  BOOST_TEST(facts.network[0].rx_bytes == 1'431'587'903u);
  BOOST_TEST(facts.network[0].tx_bytes == 1'650'487u);
  BOOST_TEST(facts.temperature_c.value() == 82.3);
  BOOST_TEST(facts.throttled_now.value());
  BOOST_TEST(facts.throttle_count.value() == 7u);
  BOOST_TEST(facts.disk.size_bytes >= facts.disk.used_bytes);
  BOOST_TEST(facts.disk.size_bytes > 0u);
}

BOOST_AUTO_TEST_CASE(a_machine_without_sensors_leaves_them_out) {
  planted_machine machine;
  std::filesystem::remove_all(machine.root.path() / "sys");
  auto facts = must(machine.look());
  BOOST_TEST(!facts.temperature_c.has_value());
  BOOST_TEST(!facts.throttled_now.has_value());
  BOOST_TEST(!facts.throttle_count.has_value());
}

BOOST_AUTO_TEST_CASE(this_machine_can_be_read) {
  auto facts = must(proc_machine("/tmp").look());
  BOOST_TEST(facts.threads.size() >= 1u);
  BOOST_TEST(facts.resident_bytes > 0u);
  BOOST_TEST(facts.open_files >= 3u);
}

BOOST_AUTO_TEST_CASE(what_is_missing_or_garbled_is_named) {
  for (auto file : {"proc/stat", "proc/loadavg", "proc/meminfo", "proc/self/statm"}) {
    planted_machine machine;
    machine.plant(file, std::string(100'000, 'x'));
    auto garbled = machine.look();
    BOOST_REQUIRE(!garbled.has_value());
    BOOST_TEST((garbled.error().code == errc::corrupted));
    BOOST_TEST(garbled.error().what.find(file) != std::string::npos);
    std::filesystem::remove(machine.root.path() / file);
    BOOST_TEST((machine.look().error().code == errc::io_failed), file);
  }
}

BOOST_AUTO_TEST_CASE(texts_that_end_early_or_hold_no_numbers_are_none) {
  for (auto text : {"", "cpu", "cpu 1 2 3", "cpu a b c d e f g h", "cpu0 1 2 3 4 5 6 7 8", "cpu -1 2 3 4 5 6 7 8",
                    "cpu 99999999999999999999 2 3 4 5 6 7 8"})
    BOOST_TEST(!parse_cpu(text).has_value(), text);
  for (auto text : {"", "1.0 2.0", "x y z"}) BOOST_TEST(!parse_load(text).has_value(), text);
  for (auto text : {"", "MemTotal", "MemTotal: kB", "MemTotal: 12", "MemTotalX: 12 kB", "MemTotal: 12 MB"})
    BOOST_TEST(!parse_memory(text, "MemTotal").has_value(), text);
  for (auto text : {"", "1 (a", "1 a) S", ")(", "1 (a) S 1 1 1 0 -1 4194304 1 2 3 4 100"})
    BOOST_TEST(!parse_thread(text).has_value(), text);
  for (auto text : {"", "Max open files", "Max open files unlimited unlimited files"})
    BOOST_TEST(!parse_open_files_max(text).has_value(), text);
  for (auto text : {"", "x", "1 2", "12x", "1\n2"}) BOOST_TEST(!parse_number(text).has_value(), text);
  BOOST_TEST(parse_number(" 12 \n").value() == 12);
  BOOST_TEST(parse_number("50005\n", 16).value() == 0x50005);
  BOOST_TEST(parse_network("a: 1 2\n:\n\n").empty());
}

BOOST_AUTO_TEST_CASE(interfaces_are_bounded) {
  std::string dev;
  for (int i = 0; i < 100; ++i) dev += "veth" + std::to_string(i) + ": 1 0 0 0 0 0 0 0 2 0 0 0 0 0 0 0\n";
  BOOST_TEST(parse_network(dev).size() == machine_networks_max);
}

BOOST_AUTO_TEST_CASE(two_looks_make_a_share) {
  machine_core core({{"journal", 100}, {"chunks", 200}}, "caf.");
  BOOST_TEST(core.report().empty());
  BOOST_TEST(core.is_due(0s));
  machine_facts facts;
  facts.cpu_busy = 1000ms;
  facts.cpu_total = 4000ms;
  facts.threads = {{1, "lucid", 100ms}, {2, "caf.worker", 0ms}, {3, "caf.worker", 0ms}};
  core.take(facts, 10s);
  BOOST_TEST(core.report()["cpu_share"] == 0);
  BOOST_TEST(core.report()["threads"][0]["cpu_share"] == 0);
  BOOST_TEST(!core.is_due(10s + 499ms));
  BOOST_TEST(core.is_due(10s + 500ms));

  facts.cpu_busy += 500ms;
  facts.cpu_total += 2000ms;
  facts.threads = {{1, "lucid", 200ms}, {2, "caf.worker", 1000ms}, {3, "caf.worker", 500ms}, {4, "new", 250ms}};
  core.take(facts, 11s);
  auto report = core.report();
  BOOST_TEST(report["cpu_share"] == 0.25);
  BOOST_TEST(report["bound_bytes"] == 300);
  BOOST_TEST(report["threads"][0]["cpu_share"] == 0.1);
  BOOST_TEST(report["threads"][1]["cpu_share"] == 1.0);
  BOOST_TEST(report["threads"][3]["cpu_share"] == 0.25);
  BOOST_TEST(report["scheduler_share"] == 0.75);
  BOOST_TEST(!report.contains("temperature_c"));
  BOOST_TEST(!report.contains("throttled"));
}

BOOST_AUTO_TEST_CASE(throttling_is_told_where_it_is_known) {
  machine_core core({}, "caf.");
  machine_facts facts;
  facts.throttle_count = 5;
  core.take(facts, 1s);
  BOOST_TEST(!core.report().contains("throttled"));
  core.take(facts, 2s);
  BOOST_TEST(core.report()["throttled"] == false);
  facts.throttle_count = 6;
  core.take(facts, 3s);
  BOOST_TEST(core.report()["throttled"] == true);
  facts.throttled_now = false;
  facts.temperature_c = 55.5;
  core.take(facts, 4s);
  BOOST_TEST(core.report()["throttled"] == false);
  BOOST_TEST(core.report()["temperature_c"] == 55.5);
}
