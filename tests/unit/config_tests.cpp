// tests/unit/config_tests.cpp - settings: the table itself, precedence, every kind of error, profiles, the generated page.
#define BOOST_TEST_MODULE config_tests
#include <boost/test/unit_test.hpp>

#include <fstream>
#include <random>
#include <set>
#include <sstream>

#include "messages/chunk.hpp"
#include "runtime/config/explain.hpp"
#include "runtime/config/key_table.hpp"
#include "runtime/config/load.hpp"
#include "runtime/config/nearest.hpp"
#include "runtime/config/quantity.hpp"

using namespace lucid;
using namespace std::chrono_literals;

namespace {

configuration_sources file_of(std::string text) {
  configuration_sources sources;
  sources.text = std::move(text);
  sources.file_name = "test.toml";
  sources.home = "/home/someone";
  return sources;
}

/// The problems of a file, one a line; empty if it loads.
std::string problems_of(const configuration_sources& sources) {
  auto loaded = load(sources);
  return loaded ? "" : to_error(loaded.error()).what;
}
std::string problems_of(std::string text) { return problems_of(file_of(std::move(text))); }

std::string read_file(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

} // namespace

BOOST_AUTO_TEST_SUITE(table)

BOOST_AUTO_TEST_CASE(each_key_is_named_once_and_described_in_one_line) {
  std::set<std::string_view> names;
  for (auto& key : key_table()) {
    BOOST_TEST_CONTEXT(key.name) {
      BOOST_TEST(names.insert(key.name).second);
      BOOST_TEST((std::count(key.name.begin(), key.name.end(), '.') == 1));
      BOOST_TEST(!key.description.empty());
      BOOST_TEST((key.description.find('\n') == std::string_view::npos));
      BOOST_TEST(!section_description(key.name.substr(0, key.name.find('.'))).empty());
    }
  }
}

BOOST_AUTO_TEST_CASE(each_key_has_a_field_and_a_variable_of_its_own) {
  configuration c;
  std::set<const void*> fields;
  std::set<std::string> variables;
  for (auto& key : key_table()) {
    auto* address = std::visit([](auto* field) -> const void* { return field; }, key.field(c));
    BOOST_TEST(fields.insert(address).second, key.name);
    BOOST_TEST(variables.insert(environment_name(key.name)).second, key.name);
  }
}

BOOST_AUTO_TEST_CASE(the_defaults_lie_within_their_bounds) {
  for (bool root : {false, true}) {
    configuration_sources none;
    none.root = root;
    none.home = "/home/someone";
    BOOST_TEST(problems_of(none) == "");
  }
}

BOOST_AUTO_TEST_CASE(what_is_shown_reads_back_as_the_same_value) {
  auto values = default_configuration("/home/someone");
  std::string text, section;
  for (auto& key : key_table()) {
    if (key.secret()) continue;
    auto dot = key.name.find('.');
    if (section != key.name.substr(0, dot)) text += "[" + (section = key.name.substr(0, dot)) + "]\n";
    text += std::string(key.name.substr(dot + 1)) + " = " + show_value(key, values) + "\n";
  }
  auto again = load(file_of(text));
  BOOST_REQUIRE_MESSAGE(again, problems_of(text));
  for (auto& key : key_table()) BOOST_TEST(show_value(key, again->values) == show_value(key, values), key.name);
}

BOOST_AUTO_TEST_CASE(numbers_and_quantities_are_taken_at_their_bounds_and_refused_beyond) {
  for (auto& key : key_table()) {
    configuration any;
    auto field = key.field(any);
    bool number = std::holds_alternative<std::uint32_t*>(field) || std::holds_alternative<std::uint64_t*>(field) ||
                  std::holds_alternative<std::chrono::milliseconds*>(field) ||
                  std::holds_alternative<std::chrono::seconds*>(field);
    if (!number) continue;
    BOOST_TEST_CONTEXT(key.name) {
      auto with = [&](std::int64_t value) {
        configuration_sources sources;
        sources.environment[environment_name(key.name)] = std::to_string(value);
        return problems_of(sources);
      };
      BOOST_TEST((with(key.min).find("too small") == std::string::npos));
      BOOST_TEST((with(key.max).find("too large") == std::string::npos));
      BOOST_TEST((with(key.min - 1).find("too small") != std::string::npos));
      BOOST_TEST((with(key.max + 1).find("too large") != std::string::npos));
    }
  }
}

BOOST_AUTO_TEST_CASE(the_role_anchor_is_placed_in_order_and_by_default_nowhere) {
  BOOST_TEST(load(file_of("")).value().values.placement.anchor.empty());
  auto loaded = load(file_of("[placement]\nanchor = [\"pi-2\", \"*\"]\n"));
  BOOST_REQUIRE(loaded);
  BOOST_TEST((loaded->values.placement.anchor == std::vector<std::string>{"pi-2", "*"}));
  BOOST_TEST((problems_of("[placement]\nanchor = [\"Pi 2\"]\n").find("placement.anchor") != std::string::npos));
  BOOST_TEST(find_key("placement.anchor") != nullptr);
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(precedence)

BOOST_AUTO_TEST_CASE(the_later_source_wins_and_is_remembered) {
  auto sources = file_of("[journal]\nsync_interval = \"200 ms\"\nunsynced_bytes_max = 131072\n[seal]\nzstd_level = 5\n");
  sources.environment = {{"LUCID_JOURNAL_SYNC_INTERVAL", "300ms"}, {"LUCID_SEAL_ZSTD_LEVEL", "6"}, {"PATH", "/bin"}};
  sources.flags = {{"--set", "seal.zstd_level", "7"}};
  auto loaded = load(sources);
  BOOST_REQUIRE(loaded);
  auto& c = loaded->values;
  BOOST_TEST((c.journal.sync_interval == 300ms));
  BOOST_TEST(c.journal.unsynced_bytes_max == 131072u);
  BOOST_TEST(c.seal.zstd_level == 7u);
  BOOST_TEST(to_string(loaded->origins.at("journal.sync_interval")) == "LUCID_JOURNAL_SYNC_INTERVAL");
  BOOST_TEST(to_string(loaded->origins.at("journal.unsynced_bytes_max")) == "test.toml:3:22");
  BOOST_TEST(to_string(loaded->origins.at("seal.zstd_level")) == "--set");
  BOOST_TEST(to_string(loaded->origins.at("chunk.size_bytes")) == "default");
  BOOST_TEST(loaded->origins.size() == key_table().size());
}

BOOST_AUTO_TEST_CASE(an_error_in_a_source_that_loses_is_still_an_error) {
  auto sources = file_of("[seal]\nzstd_level = 99\n");
  sources.flags = {{"--set", "seal.zstd_level", "7"}};
  BOOST_TEST(problems_of(sources) == "test.toml:2:14: seal.zstd_level: 99 is too large; allowed: 1 to 19");
}

BOOST_AUTO_TEST_CASE(lists_and_tables_can_come_from_the_environment) {
  std::string key_a(64, 'a'), key_b(64, 'B');
  configuration_sources sources;
  sources.environment = {{"LUCID_KEYS_RECIPIENTS", key_a + ", " + key_b}, {"LUCID_LOG_LEVELS", "capture=debug,store=warn"}};
  auto loaded = load(sources);
  BOOST_REQUIRE(loaded);
  BOOST_TEST((loaded->values.keys.recipients == std::vector<std::string>{key_a, key_b}));
  BOOST_TEST(loaded->values.log.levels.at("store") == "warn");
}

BOOST_AUTO_TEST_CASE(paths_follow_home_and_data_folder) {
  configuration_sources sources;
  sources.home = "/home/someone";
  auto at_home = load(sources).value().values;
  BOOST_TEST(at_home.node.data_dir == "/home/someone/.local/share/lucid");
  BOOST_TEST(at_home.control.socket == "/home/someone/.local/share/lucid/control.sock");
  sources.root = true;
  BOOST_TEST(load(sources).value().values.keys.dir == "/var/lib/lucid/keys");
  sources.flags = {{"--data-dir", "node.data_dir", "~/elsewhere"}};
  BOOST_TEST(load(sources).value().values.keys.dir == "/home/someone/elsewhere/keys");
}

BOOST_AUTO_TEST_CASE(a_socket_path_that_no_address_holds_is_refused) {
  configuration_sources sources;
  sources.flags = {{"--data-dir", "node.data_dir", "/" + std::string(100, 'd')}};
  BOOST_TEST(problems_of(sources) ==
             "--data-dir: control.socket: below node.data_dir its path is too long; allowed: 1 to 107 bytes");
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(errors)

BOOST_AUTO_TEST_CASE(all_are_reported_at_once_in_the_order_of_the_file) {
  auto text = problems_of("nmae = 3\n[jurnal]\nx = 1\n[journal]\nsync_intervall = \"1 s\"\nsync_interval = \"9 ms\"\n"
                          "[session]\ncount_max = \"4\"\nlength_max = \"1500 ms\"\n[store]\nsync = true\ncache_bytes_max = 1.5\n[worker]\nsandbox = true\n");
  BOOST_TEST(text ==
             "test.toml:1:1: nmae: there is no such key outside of sections; did you mean node.name?\n"
             "test.toml:2:2: jurnal: there is no section of this name; did you mean journal?\n"
             "test.toml:5:1: journal.sync_intervall: there is no such key; did you mean journal.sync_interval?\n"
             "test.toml:6:17: journal.sync_interval: \"9 ms\" is too small; allowed: 50 ms to 10 s\n"
             "test.toml:8:13: session.count_max: \"4\" is no whole number; allowed: 1 to 64\n"
             "test.toml:9:14: session.length_max: \"1500 ms\" is no duration: it must be whole seconds; allowed: 1 s to 30 d\n"
             "test.toml:11:1: store.sync: there is no such key; `lucid config explain` lists what there is\n"
             "test.toml:12:19: store.cache_bytes_max: a number with a point is no size; allowed: 1 MiB to 1 GiB\n"
             "test.toml:14:11: worker.sandbox: true is no text; allowed: on, off, require");
}

BOOST_AUTO_TEST_CASE(a_syntax_error_names_its_place_and_the_other_sources_are_read_all_the_same) {
  auto sources = file_of("[node]\nname = \n");
  sources.environment = {{"LUCID_LOG_LEVEL", "loud"}};
  auto loaded = load(sources);
  BOOST_REQUIRE(!loaded);
  BOOST_REQUIRE(loaded.error().size() == 2u);
  BOOST_TEST(loaded.error()[0].where.line + loaded.error()[1].where.line >= 2u);
  BOOST_TEST((problems_of(sources).find("LUCID_LOG_LEVEL: log.level: \"loud\" is none of the choices") != std::string::npos));
}

BOOST_AUTO_TEST_CASE(entries_of_lists_and_tables_are_checked_each) {
  BOOST_TEST((problems_of("[keys]\nrecipients = [\"abc\"]").find("64 hexadecimal digits") != std::string::npos));
  BOOST_TEST((problems_of("[keys]\nrecipients = [1]").find("no list of texts") != std::string::npos));
  BOOST_TEST((problems_of("[log]\nlevels = { store = \"lowd\" }").find("\"store = lowd\" is not allowed") != std::string::npos));
  BOOST_TEST((problems_of("[capture]\nwidth = 641").find("even number") != std::string::npos));
  BOOST_TEST(problems_of("[capture]\nwidth = 642") == "");
  std::string many;
  for (int i = 0; i < 65; ++i) many += "\"" + std::string(64, '0') + "\",";
  BOOST_TEST((problems_of("[keys]\nrecipients = [" + many + "]").find("65 entries") != std::string::npos));
}

BOOST_AUTO_TEST_CASE(values_that_contradict_each_other_are_refused) {
  BOOST_TEST((problems_of("[capture]\nreconnect_backoff_min = \"50 s\"").find("longer than capture.reconnect_backoff_max") !=
              std::string::npos));
  BOOST_TEST((problems_of("[keys]\npassphrase = \"a\"\npassphrase_file = \"b\"").find("only one can be right") != std::string::npos));
  BOOST_TEST(problems_of("[keys]\npassphrase = \"a\"\n") == "");
}

BOOST_AUTO_TEST_CASE(the_console_leaves_loopback_with_tls_alone) {
  auto said = [](const char* text, const char* what) { return problems_of(text).find(what) != std::string::npos; };
  BOOST_TEST(said("[console]\naddress = \"192.0.2.1\"", "needs console.tls_certificate"));
  BOOST_TEST(said("[console]\ntls_certificate = \"c.pem\"", "belong together"));
  BOOST_TEST(said("[console]\naddress = \"0.0.0.0\"\ntls_certificate = \"c\"\ntls_key = \"k\"", "needs console.names"));
  BOOST_TEST(said("[console]\nnames = [\"Pi:80\"]", "a host name in lower case"));
  BOOST_TEST(problems_of("[console]\naddress = \"127.0.0.2\"") == "");
  BOOST_TEST(problems_of("[console]\naddress = \"0.0.0.0\"\nnames = [\"pi.example\"]\ntls_certificate = \"c\"\ntls_key = \"k\"") == "");
}

BOOST_AUTO_TEST_CASE(foreign_text_is_quoted_short_and_without_control_characters) {
  auto text = problems_of("[log]\nlevel = \"\\u001b[31m" + std::string(500, 'x') + "\"");
  BOOST_TEST((text.find('\x1b') == std::string::npos));
  BOOST_TEST((text.find("\\x1b") != std::string::npos));
  BOOST_TEST(text.size() < 250u);
}

BOOST_AUTO_TEST_CASE(a_hostile_file_is_refused_before_it_is_parsed) {
  BOOST_TEST((problems_of(std::string(configuration_file_size_bytes_max + 1, '#')).find("65537 bytes") != std::string::npos));
  std::string deep = "a";
  while (deep.size() < 60000) deep += ".a";
  BOOST_TEST((problems_of(deep + " = 1").find("dots") != std::string::npos));
  BOOST_TEST((problems_of("[log]\nlevels = " + std::string(60000, '[')).find("test.toml:") == 0));
  // As deep as the bound allows: the parser's recursion must hold.
  std::string allowed = "a";
  for (std::size_t i = 0; i < configuration_dot_count_max; ++i) allowed += ".a";
  BOOST_TEST((problems_of(allowed + " = 1").find("no section of this name") != std::string::npos));
}

BOOST_AUTO_TEST_CASE(no_more_than_a_hundred_problems_are_listed) {
  std::string text;
  for (int i = 0; i < 1000; ++i) text += "unknown" + std::to_string(i) + " = 1\n";
  auto loaded = load(file_of(text));
  BOOST_REQUIRE(!loaded);
  BOOST_TEST(loaded.error().size() == 100u);
}

BOOST_AUTO_TEST_CASE(variables_of_others_are_passed_over_and_slips_in_ours_are_not) {
  configuration_sources sources;
  sources.environment = {{"LUCID_CONFIG", "x"}, {"LUCID_TEST_PORT", "1"}, {"LUCIDITY", "2"}};
  BOOST_TEST(problems_of(sources) == "");
  sources.environment = {{"LUCID_NODE_NMAE", "x"}};
  BOOST_TEST(problems_of(sources) == "LUCID_NODE_NMAE: no key has this variable; did you mean LUCID_NODE_NAME?");
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(secrets)

BOOST_AUTO_TEST_CASE(they_come_from_file_and_environment_but_not_from_a_flag) {
  configuration_sources sources;
  sources.environment = {{"LUCID_KEYS_PASSPHRASE", "open sesame"}};
  auto loaded = load(sources);
  BOOST_REQUIRE(loaded);
  BOOST_TEST(loaded->values.keys.passphrase.reveal() == "open sesame");
  sources.environment.clear();
  sources.flags = {{"--set", "keys.passphrase", "open sesame"}};
  auto text = problems_of(sources);
  BOOST_TEST((text.find("use LUCID_KEYS_PASSPHRASE or keys.passphrase_file") != std::string::npos));
  BOOST_TEST((text.find("sesame") == std::string::npos));
}

BOOST_AUTO_TEST_CASE(they_are_never_shown) {
  std::string secret(2000, 's');
  BOOST_TEST((problems_of("[keys]\npassphrase = \"" + secret + "\"").find("sss") == std::string::npos));
  auto loaded = load(file_of("[keys]\npassphrase = \"open sesame\"")).value();
  for (auto& key : key_table()) BOOST_TEST((show_value(key, loaded.values).find("sesame") == std::string::npos));
  BOOST_TEST(show_value(*find_key("keys.passphrase"), loaded.values) == "\"********\"");
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(quantities)

BOOST_AUTO_TEST_CASE(sizes_are_read_exactly) {
  BOOST_TEST(parse_size("10 MiB").value() == 10u << 20);
  BOOST_TEST(parse_size("1.5GiB").value() == 3u << 29);
  BOOST_TEST(parse_size(" 4 kB ").value() == 4000u);
  BOOST_TEST(parse_size("17").value() == 17u);
  for (auto wrong : {"", "MiB", "1.MiB", "-1", "1 mib", "1 M", "0.3 B", "9223372036854775808", "9000000 TiB", "1 MiB MiB", "1e3"})
    BOOST_TEST(!parse_size(wrong), wrong);
}

BOOST_AUTO_TEST_CASE(durations_are_read_in_their_unit) {
  BOOST_TEST((parse_duration("500 ms", 1s).value() == 500ms));
  BOOST_TEST((parse_duration("2", 1s).value() == 2s));
  BOOST_TEST((parse_duration("1.5 s", 1ms).value() == 1500ms));
  BOOST_TEST((parse_duration("8h", 1s).value() == 8h));
  for (auto wrong : {"1 sec", "s", "0.0001 s", "1 MiB"}) BOOST_TEST(!parse_duration(wrong, 1s), wrong);
}

BOOST_AUTO_TEST_CASE(what_is_written_reads_back) {
  constexpr unsigned seed = 20240607;
  BOOST_TEST_MESSAGE("seed " << seed);
  std::mt19937_64 random(seed);
  for (int i = 0; i < 2000; ++i) {
    auto value = random() >> (1 + random() % 63);
    BOOST_TEST(parse_size(show_size(value)).value() == value);
    auto duration = std::chrono::milliseconds(static_cast<std::int64_t>(value >> 1));
    BOOST_TEST((parse_duration(show_duration(duration), 1ms).value() == duration));
  }
}

BOOST_AUTO_TEST_CASE(the_nearest_word_is_near) {
  std::vector<std::string> words{"record", "verify", "export"};
  BOOST_TEST(edit_distance("verfiy", "verify") == 1u);
  BOOST_TEST(edit_distance("", "abc") == 3u);
  BOOST_TEST(nearest("recrod", words) == "record");
  BOOST_TEST(nearest("zzzzzz", words) == "");
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(pages)

BOOST_AUTO_TEST_CASE(each_profile_loads) {
  std::size_t count = 0;
  for (auto& entry : std::filesystem::directory_iterator(LUCID_SOURCE_DIR "/config")) {
    if (entry.path().extension() != ".toml") continue;
    ++count;
    auto sources = file_of(read_file(entry.path()));
    sources.file_name = entry.path().filename().string();
    BOOST_TEST(problems_of(sources) == "");
  }
  BOOST_TEST(count >= 4u);
}

BOOST_AUTO_TEST_CASE(the_committed_page_is_the_generated_one) {
  BOOST_TEST((read_file(LUCID_SOURCE_DIR "/docs/configuration.md") == configuration_page()),
             "docs/configuration.md differs from the key table; run: lucid config explain --markdown > docs/configuration.md");
}

BOOST_AUTO_TEST_CASE(explaining_finds_keys_sections_and_near_names) {
  BOOST_TEST((explain("journal.sync_interval").value().find("50 ms to 10 s") != std::string::npos));
  BOOST_TEST((explain("journal").value().find("journal.segment_bytes_max") != std::string::npos));
  BOOST_TEST((explain("").value().find("log.levels") != std::string::npos));
  auto unknown = explain("journal.sync_intervall");
  BOOST_REQUIRE(!unknown);
  BOOST_TEST((unknown.error().what.find("perhaps journal.sync_interval") != std::string::npos));
}

BOOST_AUTO_TEST_CASE(memory_grows_with_the_settings_that_bound_it) {
  auto sum = [](const configuration& c) {
    std::uint64_t total = 0;
    for (auto& bound : memory_bounds(c))
      if (!bound.in_worker) total += bound.size_bytes * (bound.per_session ? c.session.count_max : 1);
    return total;
  };
  auto c = default_configuration();
  auto before = sum(c);
  c.chunk.in_flight_max += 1;
  BOOST_TEST(sum(c) > before + 2 * c.session.count_max * chunk_size_bytes_max);
  BOOST_TEST((explain_memory(c).find("chunk.in_flight_max 3") != std::string::npos));
}

BOOST_AUTO_TEST_SUITE_END()
