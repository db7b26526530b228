// tests/unit/recorder_core_tests.cpp - what becomes of a wish to record, and where its secrets are.
#define BOOST_TEST_MODULE recorder_core_tests
#include <boost/test/unit_test.hpp>

#include "actors/recorder/recorder_core.hpp"
#include "actors/recorder/session_vault.hpp"
#include "adapters/sodium/sign.hpp"
#include "adapters/sodium/system_random.hpp"

using namespace lucid;

namespace {

struct keys {
  system_random random;
  secret_key node = make_session_key(random);
  secret_key owner = make_session_key(random);
  recorder_facts facts{sign_public_key{1}, box_public_key_of(node), {box_public_key_of(owner)}};
};

session_create_request wish() {
  session_create_request w;
  w.what.source = "rdp://admin@pc";
  w.what.password = "secret";
  w.policy.title.assign(1, 'T');
  return w;
}

} // namespace

BOOST_AUTO_TEST_CASE(the_key_is_for_the_owner_and_for_the_node_until_the_end) {
  keys k;
  auto made = make_session(wish(), k.facts, k.random, 1000);
  BOOST_REQUIRE(made.has_value());
  for (auto* holder : {&k.owner, &k.node}) {
    auto opened = unwrap_session_key(made->row.keys, *holder);
    BOOST_REQUIRE(opened.has_value());
    BOOST_TEST(std::equal(opened->view().begin(), opened->view().end(), made->key.view().begin()));
  }
  auto stranger = make_session_key(k.random);
  BOOST_TEST(!unwrap_session_key(made->row.keys, stranger).has_value());
  BOOST_TEST((made->row.policy.recipients == k.facts.default_recipients));
}

BOOST_AUTO_TEST_CASE(no_secret_of_the_wish_reaches_the_row) {
  keys k;
  auto made = make_session(wish(), k.facts, k.random, 1000);
  BOOST_REQUIRE(made.has_value());
  BOOST_TEST(made->row.what.password.empty());
  BOOST_TEST(made->row.summary.source.find("admin") == std::string::npos);
  BOOST_TEST(made->row.summary.created_us == 1000);
}

BOOST_AUTO_TEST_CASE(a_source_that_cannot_be_read_and_a_recording_nobody_could_open_are_refused) {
  keys k;
  auto bad = wish();
  bad.what.source = "telnet://pc";
  BOOST_TEST((make_session(bad, k.facts, k.random, 1).error().code == errc::invalid_input));
  k.facts.default_recipients.clear();
  auto nobody = make_session(wish(), k.facts, k.random, 1);
  BOOST_REQUIRE(!nobody.has_value());
  BOOST_TEST(nobody.error().what.find("lucid keys init") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(two_sessions_never_share_id_or_key) {
  keys k;
  auto a = make_session(wish(), k.facts, k.random, 1), b = make_session(wish(), k.facts, k.random, 1);
  BOOST_TEST((a->row.summary.id != b->row.summary.id));
  BOOST_TEST(!std::equal(a->key.view().begin(), a->key.view().end(), b->key.view().begin()));
}

BOOST_AUTO_TEST_CASE(the_vault_forgets_what_is_erased) {
  session_vault vault;
  session_id id{3};
  vault.put({id, nullptr, true, 5}, "pw");
  BOOST_TEST(vault.password(id) == "pw");
  BOOST_TEST(vault.plan(id)->recovered);
  BOOST_TEST(vault.count() == 1u);
  BOOST_TEST((vault.running() == std::vector<session_id>{id}));
  vault.erase(id);
  BOOST_TEST(vault.password(id).empty());
  BOOST_TEST(!vault.plan(id).has_value());
  BOOST_TEST(vault.count() == 0u);
}
