// tests/unit/pages_tests.cpp - the pages in the program: what is there, under which name, and how it is sent.
// Built twice: with the pages, and (LUCID_WITHOUT_PAGES) with the one that stands for them.
#define BOOST_TEST_MODULE pages_tests
#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <string>

#include "actors/console/pages.hpp"

using namespace lucid;

namespace {

std::string header(const http_response& response, std::string_view name) {
  for (auto& each : response.headers)
    if (each.name == name) return each.value;
  return {};
}

/// The names that `/` asks for: all that stands in quotes and begins with /assets/.
std::vector<std::string_view> names_in(std::string_view html) {
  std::vector<std::string_view> names;
  for (auto at = html.find("\"/assets/"); at != std::string_view::npos; at = html.find("\"/assets/", at + 1))
    names.push_back(html.substr(at + 1, html.find('"', at + 1) - at - 1));
  return names;
}

constexpr page_file large{.path = "/assets/a.js", .content_type = "text/javascript", .body = "plain plain",
                          .gzip_body = "packed", .immutable = true};
constexpr page_file small{.path = "/", .content_type = "text/html", .body = "plain"};

} // namespace

BOOST_AUTO_TEST_CASE(the_first_page_is_there_and_all_that_it_names) {
  auto* page = find_page("/");
  BOOST_REQUIRE(page);
  BOOST_TEST(page->content_type == "text/html; charset=utf-8");
  BOOST_TEST(!page->immutable);
  BOOST_TEST(page->body.starts_with("<!doctype html>"));
  BOOST_TEST(page->body.ends_with("</html>\n"));
  for (auto name : names_in(page->body)) {
    auto* file = find_page(name);
    BOOST_REQUIRE_MESSAGE(file, name);
    BOOST_TEST(file->immutable, name);
    BOOST_TEST(!file->body.empty(), name);
  }
}

BOOST_AUTO_TEST_CASE(what_is_not_there_is_not_found) {
  for (auto path : {"", "/index.html", "/assets", "/assets/", "/assets/nothing.js", "//", "/../etc/passwd",
                    "/assets/../../etc/passwd", "~"})
    BOOST_TEST(!find_page(path), path);
}

BOOST_AUTO_TEST_CASE(every_file_is_found_by_its_name) {
  BOOST_TEST(std::ranges::is_sorted(page_files(), {}, &page_file::path));
  for (auto& file : page_files()) BOOST_TEST(find_page(file.path) == &file, file.path);
}

#ifdef LUCID_WITHOUT_PAGES
BOOST_AUTO_TEST_CASE(without_pages_it_is_said_how_to_build_them) {
  BOOST_TEST(page_files().size() == 1u);
  auto body = find_page("/")->body;
  for (auto words : {"built without its pages", "scripts/install_deps.sh build", "cmake --preset release", "lucid top"})
    BOOST_TEST(body.find(words) != std::string_view::npos, words);
}
#else
BOOST_AUTO_TEST_CASE(the_pages_are_the_built_ones) {
  if (page_files().size() == 1) {
    BOOST_TEST_MESSAGE("SKIPPED: this build has no pages");
    return;
  }
  BOOST_TEST(names_in(find_page("/")->body).size() == 3u); // Icon, style, script.
  for (auto& file : page_files()) {
    if (file.gzip_body.empty()) continue;
    BOOST_TEST(file.gzip_body.starts_with("\x1f\x8b"), file.path);
    BOOST_TEST(file.gzip_body.size() < file.body.size(), file.path);
    // The last four bytes of a gzip file are the size of what is in it, the lowest first.
    std::size_t size = 0;
    for (std::size_t i = 0; i < 4; ++i)
      size |= std::size_t{static_cast<unsigned char>(file.gzip_body[file.gzip_body.size() - 4 + i])} << (8 * i);
    BOOST_TEST(size == file.body.size(), file.path);
  }
}
#endif

BOOST_AUTO_TEST_CASE(gzip_is_sent_to_who_takes_it) {
  for (auto header : {"gzip", "gzip, deflate, br, zstd", "br;q=1.0, gzip;q=0.8, *;q=0.1", "GZIP", "*",
                      "deflate , gzip ; q=0.001", "x-gzip"})
    BOOST_TEST(accepts_gzip(header), header);
  for (auto header : {"", "identity", "br", "gzip;q=0", "gzip;q=0.000, br", "gzip; Q=0", "*;q=0", "*, gzip;q=0",
                      "gzipped", ",;,=,"})
    BOOST_TEST(!accepts_gzip(header), header);
}

BOOST_AUTO_TEST_CASE(an_answer_says_how_it_is_packed_and_how_long_it_holds) {
  auto packed = page_response(large, "gzip"), plain = page_response(large, "br");
  BOOST_TEST(packed.status == 200u);
  BOOST_TEST(packed.body == "packed");
  BOOST_TEST(header(packed, "content-encoding") == "gzip");
  BOOST_TEST(plain.body == "plain plain");
  BOOST_TEST(header(plain, "content-encoding") == "");
  for (auto& each : {packed, plain}) {
    BOOST_TEST(each.content_type == "text/javascript");
    BOOST_TEST(header(each, "vary") == "accept-encoding"); // Both ways: a cache must not mix them up.
    BOOST_TEST(header(each, "cache-control").ends_with("immutable"));
  }
  auto first = page_response(small, "gzip");
  BOOST_TEST(first.body == "plain");
  BOOST_TEST(header(first, "content-encoding") == "");
  BOOST_TEST(header(first, "vary") == "");
  BOOST_TEST(header(first, "cache-control") == "no-cache");
}
