// tests/unit/consequences_tests.cpp - what an operator is told before the node or a session is acted on.
#define BOOST_TEST_MODULE consequences_tests
#include <boost/test/unit_test.hpp>

#include "actors/console/consequences.hpp"

using namespace lucid;

namespace {

session_summary session_in(session_state state) {
  session_summary s;
  s.id[0] = 0xab;
  s.state = state;
  s.title = "night";
  s.started_us = 1'000'000;
  s.stored_bytes = 3u << 20;
  return s;
}

} // namespace

BOOST_AUTO_TEST_CASE(the_node_counts_its_sessions) {
  BOOST_TEST(consequence_for_node("drain", 0) == "starts no new session; none is running");
  BOOST_TEST(consequence_for_node("drain", 1) == "starts no new session; 1 running session goes on to its end");
  BOOST_TEST(consequence_for_node("drain", 3) == "starts no new session; 3 running sessions go on to their end");
  BOOST_TEST(consequence_for_node("stop", 2) == "ends 2 running sessions in order, then the node; what they recorded is kept");
  BOOST_TEST(consequence_of_log_level("", "debug") ==
             "writes lines of level debug and above to the log for every subsystem, until the node ends");
}

BOOST_AUTO_TEST_CASE(the_cluster_says_what_comes_of_each_action) {
  BOOST_TEST(consequence_for_cluster("init") == "begins a cluster of which this node is the first member");
  BOOST_TEST(consequence_for_cluster("invite") == "one node may join with this invitation, once");
  BOOST_TEST(consequence_for_cluster("uninvite") == "whoever has it is let in no more; who has joined with it stays");
  BOOST_TEST(consequence_for_cluster("join") == "its members can look at this node and share its work");
  BOOST_TEST(consequence_for_cluster("remove") == "cut off from all members at once; to come back it has to be invited anew");
  BOOST_TEST(consequence_for_cluster("rotate") ==
             "links are made anew with a new transport key; the node's identity stays");
  BOOST_TEST(consequence_for_cluster("rotate-onion") ==
             "links are made anew with a new transport key and a new onion address; the node's identity stays");
}

BOOST_AUTO_TEST_CASE(a_session_says_what_is_lost_and_what_stays) {
  auto now = unix_time_us{3'726'000'000};
  BOOST_TEST(*consequence_for_session("stop", session_in(session_state::recording), now) ==
             "ends the recording ab0000000000 \"night\" after 1:02:05; what was recorded is sealed and anchored");
  BOOST_TEST(*consequence_for_session("remove", session_in(session_state::completed), now) ==
             "deletes the recording ab0000000000 \"night\" and its 3.0 MiB for good; its entry in the ledger stays");
}

BOOST_AUTO_TEST_CASE(what_its_state_does_not_allow_is_refused_beforehand) {
  for (auto action : {"stop", "extend"})
    BOOST_TEST((consequence_for_session(action, session_in(session_state::completed), 0).error().code == errc::wrong_state));
  BOOST_TEST((consequence_for_session("remove", session_in(session_state::recording), 0).error().code == errc::wrong_state));
}
