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
  BOOST_TEST((made->row.key_commitment == commit_session_key(made->key)));
  session_row row;
  row.keys = made->row.keys;
  BOOST_TEST(has_key_for(row, box_public_key_of(k.node)));
  row.keys.pop_back(); // As holders of copies have it.
  BOOST_TEST(!has_key_for(row, box_public_key_of(k.node)));
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

BOOST_AUTO_TEST_CASE(final_sessions_older_than_the_retention_expire_and_no_others) {
  using namespace std::chrono_literals;
  constexpr unix_time_us second = 1'000'000, now = 1000 * second;
  auto with = [](session_state state, unix_time_us created_us, unix_time_us ended_us) {
    session_summary s;
    s.state = state;
    s.created_us = created_us;
    s.ended_us = ended_us;
    return s;
  };
  std::vector<session_summary> all{
    with(session_state::completed, 1 * second, 899 * second),   with(session_state::completed, 1 * second, 900 * second),
    with(session_state::interrupted, 1 * second, 2 * second),   with(session_state::failed, 1 * second, 0),
    with(session_state::failed, 950 * second, 0),               with(session_state::recording, 1 * second, 2 * second),
    with(session_state::anchoring, 1 * second, 2 * second),
  };
  auto old = expired(all, 100s, now);
  BOOST_REQUIRE(old.size() == 3u);
  BOOST_TEST(old[0].ended_us == 899 * second);
  BOOST_TEST((old[1].state == session_state::interrupted));
  BOOST_TEST((old[2].state == session_state::failed && old[2].created_us == second));
  BOOST_TEST(expired(all, 0s, now).empty());
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
