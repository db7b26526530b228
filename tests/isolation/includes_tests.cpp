// tests/isolation/includes_tests.cpp - the arrows between folders point one way, and the check itself can fail.
#define BOOST_TEST_MODULE includes_tests
#include <boost/test/unit_test.hpp>

#include <fstream>

#include <stdlib.h>

#include "tests/isolation/include_rules.hpp"

using namespace lucid;

namespace {

/// A tree of sources that is gone afterwards.
struct planted_tree {
  planted_tree() {
    char name[] = "/tmp/lucid-includes-tests-XXXXXX";
    root = mkdtemp(name);
  }
  ~planted_tree() { std::filesystem::remove_all(root); }

  void add(const std::string& file, const std::string& text) const {
    std::filesystem::create_directories((root / file).parent_path());
    std::ofstream(root / file) << text;
  }
  std::filesystem::path root;
};

/// What the check says to `include` in `file`, in a tree that has a header in every room.
std::string verdict(const std::string& file, const std::string& include) {
  planted_tree tree;
  for (auto header : {"messages/a.hpp", "adapters/sodium/a.hpp", "adapters/ffmpeg/a.hpp", "runtime/config/a.hpp", "runtime/log/a.hpp",
                      "actors/format/a.hpp", "actors/chunk/a.hpp", "actors/seal/a.hpp", "actors/node/a.hpp", "tests/doubles/a.hpp"})
    tree.add(header, "#pragma once\n");
  tree.add(file, "// a comment\n  #  include " + include + "\n");
  auto found = check_includes(tree.root);
  BOOST_REQUIRE(found.size() <= 1u);
  if (found.empty()) return "";
  BOOST_TEST(found[0].file == file);
  BOOST_TEST(found[0].line == 2u);
  return found[0].what;
}

} // namespace

BOOST_AUTO_TEST_CASE(no_include_of_this_tree_points_back) {
  BOOST_TEST(source_count(LUCID_SOURCE_DIR) > 30u);
  for (auto& broken : check_includes(LUCID_SOURCE_DIR)) BOOST_ERROR(broken.file << ":" << broken.line << ": " << broken.what);
}

BOOST_AUTO_TEST_CASE(what_the_architecture_allows_is_allowed) {
  for (auto& [file, include] : std::vector<std::pair<std::string, std::string>>{
           {"messages/b.hpp", "\"messages/a.hpp\""},       {"runtime/log/b.cpp", "\"runtime/config/a.hpp\""},
           {"runtime/log/b.cpp", "<spdlog/spdlog.h>"},     {"adapters/sodium/b.cpp", "<sodium.h>"},
           {"adapters/sodium/b.cpp", "\"messages/a.hpp\""}, {"actors/format/b.cpp", "\"adapters/sodium/a.hpp\""},
           {"actors/chunk/b.cpp", "\"actors/format/a.hpp\""}, {"actors/chunk/b.cpp", "\"runtime/log/a.hpp\""},
           {"actors/chunk/b.cpp", "<caf/all.hpp>"},        {"actors/node/b.cpp", "\"actors/seal/a.hpp\""},
           {"actors/node/cli/b.cpp", "<CLI/CLI.hpp>"},     {"actors/chunk/chunk_core.cpp", "<vector>"}})
    BOOST_TEST(verdict(file, include) == "", file + " " + include);
}

BOOST_AUTO_TEST_CASE(each_arrow_that_points_back_is_found) {
  for (auto& [file, include] : std::vector<std::pair<std::string, std::string>>{
           {"messages/b.hpp", "\"runtime/log/a.hpp\""},        {"messages/b.hpp", "\"actors/format/a.hpp\""},
           {"runtime/log/b.cpp", "\"adapters/sodium/a.hpp\""},   {"runtime/log/b.cpp", "\"actors/chunk/a.hpp\""},
           {"adapters/sodium/b.cpp", "\"runtime/log/a.hpp\""},   {"adapters/sodium/b.cpp", "\"adapters/ffmpeg/a.hpp\""},
           {"adapters/sodium/b.cpp", "\"actors/format/a.hpp\""}, {"actors/format/b.cpp", "\"adapters/ffmpeg/a.hpp\""},
           {"actors/format/b.cpp", "\"runtime/log/a.hpp\""},   {"actors/chunk/b.cpp", "\"actors/seal/a.hpp\""},
           {"actors/chunk/b.cpp", "\"actors/node/a.hpp\""},    {"actors/chunk/b.cpp", "\"tests/doubles/a.hpp\""}})
    BOOST_TEST(verdict(file, include) != "", file + " " + include);
}

BOOST_AUTO_TEST_CASE(each_library_stays_at_home) {
  for (auto header : {"<freerdp/freerdp.h>", "<winpr/wlog.h>", "<libavcodec/avcodec.h>", "<libswscale/swscale.h>", "<sodium.h>", "<zstd.h>",
                      "<sqlite3.h>", "<xcb/shm.h>", "<blake3.h>", "<zmq.hpp>", "<curl/curl.h>", "<boost/beast/http.hpp>",
                      "<toml++/toml.h>", "<spdlog/spdlog.h>", "<CLI/CLI.hpp>"}) {
    BOOST_TEST(verdict("actors/chunk/b.cpp", header) != "", header);
    BOOST_TEST(verdict("messages/b.hpp", header) != "", header);
  }
  BOOST_TEST(verdict("adapters/sodium/b.cpp", "<caf/all.hpp>") != "");
  BOOST_TEST(verdict("actors/node/b.cpp", "<sodium.h>") != "");
}

BOOST_AUTO_TEST_CASE(a_core_is_pure) {
  for (auto header : {"<caf/all.hpp>", "<thread>", "<fstream>", "\"runtime/log/a.hpp\""})
    BOOST_TEST(verdict("actors/chunk/chunk_core.hpp", header) != "", header);
}

BOOST_AUTO_TEST_CASE(our_headers_are_named_from_the_root_and_in_quotes) {
  BOOST_TEST(verdict("messages/b.hpp", "\"a.hpp\"") != "");
  BOOST_TEST(verdict("messages/b.hpp", "<messages/a.hpp>") != "");
  BOOST_TEST(verdict("messages/b.hpp", "\"messages/gone.hpp\"") != "");
}
