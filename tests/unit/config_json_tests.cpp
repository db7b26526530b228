// tests/unit/config_json_tests.cpp - the settings as the console tells them: all of them, with their origin, without secrets.
#define BOOST_TEST_MODULE config_json_tests
#include <boost/test/unit_test.hpp>

#include <nlohmann/json.hpp>

#include "actors/console/config_json.hpp"
#include "runtime/config/key_table.hpp"

using namespace lucid;
using nlohmann::json;

namespace {

loaded_configuration loaded_from(std::string text, std::map<std::string, std::string> environment = {},
                                 std::vector<flag_value> flags = {}) {
  configuration_sources sources;
  sources.text = std::move(text);
  sources.file_name = "lucid.toml";
  sources.environment = std::move(environment);
  sources.flags = std::move(flags);
  sources.home = "/nonexistent";
  auto loaded = load(sources);
  if (!loaded) throw std::runtime_error(to_error(loaded.error()).what);
  return *loaded;
}

json key_named(const json& all, const std::string& name) {
  for (auto& key : all.at("keys"))
    if (key.at("key") == name) return key;
  throw std::runtime_error("no key " + name);
}

} // namespace

BOOST_AUTO_TEST_CASE(every_key_of_the_table_is_told_in_its_order_with_all_members) {
  auto loaded = loaded_from("");
  auto all = config_json(loaded.values, loaded.origins).at("keys");
  BOOST_REQUIRE(all.size() == key_table().size());
  for (std::size_t i = 0; i < all.size(); ++i) {
    BOOST_TEST(all[i].size() == 7u);
    BOOST_TEST(all[i].at("key") == key_table()[i].name);
    BOOST_TEST(all[i].at("source") == "default");
    BOOST_TEST(!all[i].at("what").get<std::string>().empty());
    for (auto* text : {"value", "default", "unit"}) BOOST_TEST(all[i].at(text).is_string());
    BOOST_TEST(all[i].at("secret").is_boolean());
  }
}

BOOST_AUTO_TEST_CASE(a_default_that_is_in_force_reads_the_same_in_both_places) {
  auto values = default_configuration();
  auto all = config_json(values, {});
  for (auto& key : all.at("keys")) {
    auto written = key.at("default").get<std::string>();
    if (written.find('<') == written.npos && written.find('~') == written.npos)
      BOOST_TEST(key.at("value") == written, key.dump());
  }
}

BOOST_AUTO_TEST_CASE(quantities_are_numbers_with_a_unit_and_each_value_says_where_it_is_from) {
  auto loaded = loaded_from("[journal]\nsync_interval = \"2 s\"\n[session]\nlength_max = \"1 h\"\n"
                            "[log.levels]\nstore = \"debug\"\nhttp = \"warn\"\n",
                            {{"LUCID_CHUNK_SIZE_BYTES", "8 MiB"}}, {{"--set", "node.name", "desk"}});
  auto all = config_json(loaded.values, loaded.origins);
  auto sync = key_named(all, "journal.sync_interval");
  BOOST_TEST((sync["value"] == "2000" && sync["default"] == "1000" && sync["unit"] == "ms" && sync["source"] == "file"));
  auto length = key_named(all, "session.length_max");
  BOOST_TEST((length["value"] == "3600" && length["unit"] == "s" && length["source"] == "file"));
  auto chunk = key_named(all, "chunk.size_bytes");
  BOOST_TEST((chunk["value"] == "8388608" && chunk["unit"] == "bytes" && chunk["source"] == "environment"));
  auto name = key_named(all, "node.name");
  BOOST_TEST((name["value"] == "desk" && name["unit"] == "" && name["source"] == "flag"));
  BOOST_TEST(key_named(all, "log.levels")["value"] == "http=warn,store=debug");
}

BOOST_AUTO_TEST_CASE(a_secret_is_told_empty_whether_it_is_set_or_not) {
  auto loaded = loaded_from("", {{"LUCID_CAPTURE_PASSWORD", "hunter2"}, {"LUCID_KEYS_PASSPHRASE", "correct horse"}});
  auto all = config_json(loaded.values, loaded.origins);
  std::size_t secrets = 0;
  for (auto& key : all.at("keys"))
    if (key.at("secret").get<bool>()) {
      ++secrets;
      BOOST_TEST((key["value"] == "" && key["default"] == ""));
    }
  BOOST_TEST(secrets == 2u);
  BOOST_TEST(key_named(all, "capture.password")["source"] == "environment");
  BOOST_TEST(all.dump().find("hunter2") == std::string::npos);
  BOOST_TEST(all.dump().find("horse") == std::string::npos);
}
