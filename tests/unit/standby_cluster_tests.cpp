// tests/unit/standby_cluster_tests.cpp - five recorders that stand in for each other, are lost, cut off, and restarted.
#define BOOST_TEST_MODULE standby_cluster
#include <boost/test/unit_test.hpp>

#include <random>

#include "actors/recorder/interrupted_core.hpp"
#include "actors/recorder/standby_core.hpp"
#include "tests/unit/standby_fixture.hpp"

using namespace lucid;
using namespace lucid::standby_action;
using namespace lucid::testing;
using namespace std::chrono_literals;

namespace {

/// Nodes with a core each, links that are there or not, and a lease that the first node of a majority has. Answers may be lost.
class cluster {
public:
  static constexpr std::uint8_t count = 5;

  explicit cluster(std::uint64_t seed) : chance_(seed) {
    for (std::uint8_t n = 1; n <= count; ++n) nodes_[n].core.emplace(standby_settings{node(n), 500ms});
  }

  void record(std::uint8_t n) { begin(n, plan(n, 0), ++last_line_); }

  void crash(std::uint8_t n) {
    nodes_[n].alive = false;
    nodes_[n].left_behind = std::exchange(nodes_[n].running, {});
    ++nodes_[n].road;
  }
  void restart(std::uint8_t n) {
    nodes_[n].alive = true;
    nodes_[n].core.emplace(standby_settings{node(n), 500ms});
    nodes_[n].interrupted = interrupted_core("pi-" + std::to_string(n));
    for (auto& [session, line] : nodes_[n].left_behind) nodes_[n].interrupted.add(session, now_);
  }
  void cut(std::uint8_t n) { nodes_[n].cut = true; }
  void heal(std::uint8_t n) {
    nodes_[n].cut = false;
    ++nodes_[n].road;
  }

  void run(standby_core::time by, double loss = 0) {
    for (auto until = now_ + by; now_ < until; now_ += 250ms)
      for (auto& [n, one] : nodes_)
        if (one.alive) round(n, one, loss);
  }

  /// How many sessions record the same thing.
  std::map<int, int> lines() const {
    std::map<int, int> found;
    for (int line = 1; line <= last_line_; ++line) found[line] = 0;
    for (auto& [n, one] : nodes_)
      for (auto& [id, line] : one.running) ++found[line];
    return found;
  }
  std::size_t plans() const {
    std::size_t all = 0;
    for (auto& [n, one] : nodes_)
      if (one.alive) all += one.core->counts().plans;
    return all;
  }
  std::uint8_t pick() { return static_cast<std::uint8_t>(1 + chance_() % count); }
  int number_below(int bound) { return static_cast<int>(chance_() % static_cast<unsigned>(bound)); }
  bool by_chance(double p) { return std::uniform_real_distribution<>()(chance_) < p; }

private:
  struct one_node {
    std::optional<standby_core> core;
    interrupted_core interrupted{""};
    std::map<session_id, int> running;     ///< What of which line.
    std::map<session_id, int> left_behind; ///< By its process before.
    bool alive = true, cut = false;
    std::uint64_t road = 1;
  };

  bool linked(std::uint8_t a, std::uint8_t b) const {
    auto& x = nodes_.at(a);
    auto& y = nodes_.at(b);
    return x.alive && y.alive && !x.cut && !y.cut;
  }
  /// As the real one: whoever is alone has it no more.
  std::uint8_t holder() const {
    std::vector<std::uint8_t> together;
    for (auto& [n, one] : nodes_)
      if (one.alive && !one.cut) together.push_back(n);
    return together.size() > count / 2 ? together.front() : 0;
  }

  void begin(std::uint8_t n, standby_plan p, int line) {
    p.recorder = node(n);
    p.session = next_session();
    p.created_us = wall(now_);
    nodes_[n].running[p.session] = lines_[p.session] = line;
    BOOST_REQUIRE(nodes_[n].core->set_session(p));
  }
  session_id next_session() {
    session_id id{};
    id[0] = static_cast<std::uint8_t>(++last_session_ >> 8);
    id[1] = static_cast<std::uint8_t>(last_session_);
    return id;
  }

  void round(std::uint8_t n, one_node& one, double loss) {
    std::vector<standby_member> members;
    for (auto& [m, other] : nodes_)
      if (m != n) members.push_back(member(m, linked(n, m), one.road + other.road));
    one.core->set_members(members, holder() == n, now_);
    for (auto& command : one.core->next(now_, wall(now_)))
      std::visit([&](auto& action) { carry_out(n, one, action, loss); }, command);
    std::vector<plan_keeper> keepers;
    for (auto& m : members) keepers.push_back({m.id, m.up ? m.road : 0});
    one.interrupted.set_keepers(keepers);
    for (auto& command : one.interrupted.next(now_, wall(now_)))
      std::visit([&](auto& action) { carry_out(n, one, action, loss); }, command);
  }

  void carry_out(std::uint8_t, one_node& one, const tell& action, double loss) {
    auto& there = *nodes_[action.to[0]].core;
    auto* p = one.core->plan_to_tell(action.what);
    if (!action.drop && !p) return; // Ended in this very round.
    if (by_chance(loss)) return one.core->not_told(action, now_); // The question,
    if (action.drop) there.drop(action.what);
    else if (!there.put(*p, now_, wall(now_))) return one.core->not_told(action, now_);
    if (by_chance(loss)) return one.core->not_told(action, now_); // or the answer.
    one.core->told(action, now_);
  }
  void carry_out(std::uint8_t n, one_node& one, const start& action, double) {
    auto recorder = action.instead_of.recorder[0];
    BOOST_TEST(holder() == n);
    BOOST_TEST(!linked(n, recorder));
    if (by_chance(0.2)) return one.core->not_started(action, false, now_);
    session_summary own;
    own.id = next_session();
    own.created_us = wall(now_);
    one.running[own.id] = lines_.at(action.instead_of.session);
    lines_[own.id] = lines_.at(action.instead_of.session);
    one.core->started(action, own);
  }
  void carry_out(std::uint8_t, one_node& one, const stop& action, double) {
    if (by_chance(0.2)) return one.core->not_stopped(action, now_);
    one.running.erase(action.own);
    one.core->stopped(action);
    one.core->end_session(action.own);
  }

  void carry_out(std::uint8_t n, one_node& one, const interrupted_action::ask& action, double loss) {
    if (by_chance(loss)) return one.interrupted.not_given(action, errc::timeout, now_);
    auto plan = nodes_[action.of[0]].core->give_back({node(n), action.session}, now_);
    if (plan) one.interrupted.given(action, **plan);
    else one.interrupted.not_given(action, plan.error().code, now_);
  }
  void carry_out(std::uint8_t, one_node& one, const interrupted_action::start& action, double) {
    if (by_chance(0.2)) return one.interrupted.not_started(action, false, now_);
    session_summary own;
    own.id = next_session();
    own.created_us = wall(now_);
    one.running[own.id] = lines_[own.id] = lines_.at(action.session);
    auto plan = one.interrupted.started(action, own);
    BOOST_REQUIRE(plan.has_value());
    BOOST_TEST((*plan)->wish.what.password == "secret");
    BOOST_TEST(one.core->set_session(**plan));
  }

  std::mt19937_64 chance_;
  standby_core::time now_ = 10s;
  std::map<std::uint8_t, one_node> nodes_;
  std::map<session_id, int> lines_;
  int last_line_ = 0;
  std::uint32_t last_session_ = 0;
};

} // namespace

BOOST_AUTO_TEST_CASE(one_node_after_the_other_is_lost_and_each_recording_goes_on_once) {
  for (std::uint64_t seed = 1; seed <= 50; ++seed) {
    cluster all(seed);
    for (std::uint8_t n = 1; n <= 3; ++n) all.record(n);
    all.run(5s);
    for (int step = 0; step < 20; ++step) {
      auto lost = all.pick();
      all.crash(lost);
      all.run(20s);
      for (auto& [line, running] : all.lines())
        BOOST_REQUIRE_MESSAGE(running == 1, "seed " << seed << " step " << step << ": " << line << " is recorded "
                                                    << running << " times");
      all.restart(lost);
      all.run(20s);
    }
    all.run(60s);
    for (auto& [line, running] : all.lines()) BOOST_TEST(running == 1);
    BOOST_TEST(all.plans() == 3u * (cluster::count - 1)); // And nothing else is known.
  }
}

BOOST_AUTO_TEST_CASE(no_recording_has_an_end_however_links_are_cut_and_answers_lost) {
  for (std::uint64_t seed = 1; seed <= 50; ++seed) {
    cluster all(seed);
    for (std::uint8_t n = 1; n <= 3; ++n) all.record(n);
    all.run(10s, 0.1);
    for (int step = 0; step < 20; ++step) {
      auto lost = all.pick();
      bool crashes = all.by_chance(0.5);
      if (crashes) all.crash(lost);
      else all.cut(lost);
      all.run(30s, 0.1);
      if (crashes) all.restart(lost);
      else all.heal(lost);
      all.run(30s, 0.1);
      for (auto& [line, running] : all.lines())
        BOOST_REQUIRE_MESSAGE(running >= 1, "seed " << seed << " step " << step << ": line " << line << " is lost");
    }
  }
}

BOOST_AUTO_TEST_CASE(a_node_that_was_cut_off_records_alone_again_after_it) {
  for (std::uint64_t seed = 1; seed <= 50; ++seed) {
    cluster all(seed);
    for (std::uint8_t n = 1; n <= 3; ++n) all.record(n);
    all.run(5s);
    for (int step = 0; step < 10; ++step) {
      auto cut = all.pick();
      all.cut(cut);
      all.run(20s);
      all.heal(cut);
      all.run(20s);
      for (auto& [line, running] : all.lines())
        BOOST_REQUIRE_MESSAGE(running == 1, "seed " << seed << " step " << step << ": " << line << " is recorded "
                                                    << running << " times");
    }
  }
}

BOOST_AUTO_TEST_CASE(a_recorder_that_is_restarted_at_once_or_soon_records_on_or_another_does) {
  for (std::uint64_t seed = 1; seed <= 100; ++seed) {
    cluster all(seed);
    for (std::uint8_t n = 1; n <= 3; ++n) all.record(n);
    all.run(5s);
    for (int step = 0; step < 20; ++step) {
      auto restarted = all.pick();
      all.crash(restarted);
      all.run(250ms * all.number_below(8)); // Until just before it counts as lost, or until after it is stood in for.
      all.restart(restarted);
      all.run(20s);
      for (auto& [line, running] : all.lines())
        BOOST_REQUIRE_MESSAGE(running == 1, "seed " << seed << " step " << step << ": " << line << " is recorded "
                                                    << running << " times");
    }
    all.run(60s);
    BOOST_TEST(all.plans() == 3u * (cluster::count - 1));
  }
}
