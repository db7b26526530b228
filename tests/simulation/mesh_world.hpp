// tests/simulation/mesh_world.hpp - a cluster of cores, its faults, and a judge that knows the real time.
#pragma once

#include <algorithm>
#include <cmath>
#include <memory>
#include <sstream>
#include <string>
#include <variant>

#include "actors/mesh/lease_codec.hpp"
#include "actors/mesh/lease_core.hpp"
#include "actors/mesh/placement_core.hpp"
#include "tests/simulation/seeds.hpp"
#include "tests/simulation/simulated_network.hpp"

namespace lucid::simulation {

using namespace std::chrono_literals;

struct world_options {
  std::size_t nodes = 5;
  bool placed = true;        ///< Wishes come of placement; else every node wishes at random.
  double drift_max = 0.048;  ///< Of a clock against the real time; two of them stay below the margin of a tenth.
  bool disks_omit_holders = false; ///< They keep numbers alone, which is safe too.
  bool disks_forget = false;       ///< To show that the judge sees it.
  time faults_for = 40s;
};

/// Sent all the time by all to all: membership's part, as far as leases and placement depend on it.
struct heartbeat {
  std::uint64_t list_version = 0;
};
/// To the fenced store.
struct write {
  lease_name lease;
  std::uint64_t fence = 0;
};
using simulated_message = std::variant<heartbeat, byte_buffer, write>;

/// Accepts no number below one that it has accepted.
class fenced_store {
public:
  void take(std::size_t from, const write& w) {
    auto& highest = highest_[w.lease];
    if (w.fence < highest) {
      ++refused;
      return;
    }
    auto owner = owners_.try_emplace({w.lease, w.fence}, from).first->second;
    if (owner != from) throw broken("the store got one number from two nodes");
    highest = w.fence;
    ++accepted;
  }
  std::uint64_t accepted = 0, refused = 0;

private:
  std::map<lease_name, std::uint64_t> highest_;
  std::map<std::pair<lease_name, std::uint64_t>, std::size_t> owners_;
};

class world {
public:
  world(std::uint64_t seed, const world_options& options)
    : options_(options), chance_(seed * 0x9e3779b97f4a7c15 + 1), network_(seed + 7), nodes_(options.nodes) {
    make_rules();
    std::vector<node_id> all;
    for (std::size_t i = 0; i < nodes_.size(); ++i) {
      auto& n = nodes_[i];
      n.id[0] = static_cast<std::uint8_t>(i + 1);
      n.id[31] = static_cast<std::uint8_t>(chance_.below(256));
      n.name = "pi-" + std::string(i < 9 ? "0" : "") + std::to_string(i + 1);
      n.rate = 1.0 + options_.drift_max * (static_cast<double>(chance_.between(-1000, 1000)) / 1000.0);
      if (i < 2) n.rate = 1.0 + (i == 0 ? options_.drift_max : -options_.drift_max); // The worst pair is always there.
    }
    auto first = options_.nodes - chance_.below(options_.nodes / 3 + 1);
    for (std::size_t i = 0; i < first; ++i) all.push_back(nodes_[i].id);
    lists_.push_back({});
    lists_.push_back(all);
    for (auto& n : nodes_) n.list_version = 1;
    for (std::size_t i = 0; i < nodes_.size(); ++i) start(i);
  }

  /// Faults, then peace; throws `broken` when something that must never or always be is not so.
  void run() {
    next_fault_ = 3s;
    while (real_ < options_.faults_for) step(true);
    make_peace();
    auto healed = real_;
    if (!options_.placed) {
      run_until(healed + 20s);
      if (gains_ == 0) throw broken("nobody ever gained a lease");
      return;
    }
    for (auto held_since = -1s; real_ < healed + held_bound;) {
      step(false);
      if (!all_held()) held_since = -1s;
      else if (held_since < 0s) held_since = std::chrono::duration_cast<std::chrono::seconds>(real_ - healed);
      if (held_since >= 0s) break;
    }
    if (!all_held()) throw broken("a role is not held " + std::to_string(held_bound / 1s) + " s after the last fault: " + told());
    run_until(healed + settled_soon);
    while (!as_preferred() && real_ < healed + settled_bound) run_until(real_ + 1s);
    if (!as_preferred()) throw broken("places are not where they are preferred: " + told());
    auto before = changes_;
    run_until(real_ + 30s);
    if (changes_ != before) throw broken("places still move: " + told());
    if (!as_preferred()) throw broken("places left where they are preferred: " + told());
  }

  [[nodiscard]] std::uint64_t gains() const { return gains_; }
  [[nodiscard]] const fenced_store& store() const { return store_; }

private:
  static constexpr time lease_time = 2s, beat_interval = 500ms, tick_interval = 100ms, peer_timeout = 2s, return_after = 5s;
  static constexpr time held_bound = 20s;   ///< Peers seen, grants expired, a back-off, a few attempts.
  static constexpr time settled_soon = 15s;
  static constexpr time settled_bound = 660s; ///< return_after, doubled as often as it ever is.

  struct node {
    node_id id{};
    std::string name;
    double rate = 1;
    bool running = false;
    // On disk.
    std::map<lease_name, lease_promise> disk;
    std::uint64_t list_version = 0;
    // In memory.
    std::unique_ptr<lease_core> leases;
    std::unique_ptr<placement_core> placement;
    std::map<node_id, std::pair<time, time>> heard; // Last, and since when it is up.
    std::map<std::size_t, std::uint64_t> versions;  // As peers told.
    std::map<lease_name, bool> wished;
    time born{}, clock_offset{};
    std::uint64_t life = 0;
    time next_beat{};
  };
  struct disk_write {
    std::size_t node = 0;
    std::uint64_t life = 0;
    std::vector<lease_promise> promises;
  };

  [[nodiscard]] time local(const node& n) const {
    return n.clock_offset + time(static_cast<std::int64_t>(std::llround(static_cast<double>((real_ - n.born).count()) * n.rate)));
  }
  [[nodiscard]] const std::vector<node_id>& newest() const { return lists_.back(); }
  [[nodiscard]] static bool lists(const std::vector<node_id>& list, const node_id& id) {
    return std::ranges::find(list, id) != list.end();
  }
  [[nodiscard]] std::size_t index_of(const node_id& id) const { return id[0] - 1u; }

  void make_rules() {
    auto order = [&] {
      std::vector<std::string> names;
      for (auto some = chance_.below(4); some > 0; --some) {
        auto i = chance_.below(options_.nodes);
        auto name = "pi-" + std::string(i < 9 ? "0" : "") + std::to_string(i + 1);
        if (std::ranges::find(names, name) == names.end()) names.push_back(name);
      }
      names.insert(names.begin() + static_cast<std::ptrdiff_t>(chance_.below(names.size() + 1)), "*");
      return names;
    };
    rules_ = {{"seal", order(), 1}, {"anchor", {"*"}, 1}};
    rules_.push_back({"replicas", order(), static_cast<std::uint32_t>(chance_.between(2, 4))});
  }

  void start(std::size_t i) {
    auto& n = nodes_[i];
    n.running = true;
    ++n.life;
    n.born = real_;
    n.clock_offset = chance_.between(time(0), time(1000s));
    if (options_.disks_forget) n.disk.clear();
    std::vector<lease_promise> on_disk;
    for (auto& [lease, promise] : n.disk) on_disk.push_back(promise);
    if (options_.disks_omit_holders)
      for (auto& promise : on_disk) promise.holder = {};
    lease_settings settings{n.id, chance_.below(~0ull) | 1, lease_time, beat_interval};
    n.leases = std::make_unique<lease_core>(settings, on_disk, local(n));
    n.placement = std::make_unique<placement_core>(placement_settings{n.id, beat_interval, return_after});
    if (!n.placement->set_rules(rules_)) throw broken("rules refused");
    n.heard.clear();
    n.versions.clear();
    n.wished.clear();
    n.next_beat = {};
    act(i, n.leases->set_members(n.list_version, lists_[n.list_version], local(n)));
    ticks_.emplace(real_ + chance_.between(time(0), tick_interval), i);
  }

  void crash(std::size_t i) {
    auto& n = nodes_[i];
    if (!n.running) return;
    n.running = false;
    ++n.life;
    n.leases.reset();
    n.placement.reset();
    for (auto& [when, w] : writes_) // Under way: the disk has it or has not.
      if (w.node == i && w.life == n.life - 1 && chance_.happens(0.5)) keep(n, w.promises);
  }

  static void keep(node& n, const std::vector<lease_promise>& promises) {
    for (auto& p : promises) n.disk[p.lease] = p;
  }

  void adopt(std::size_t i, std::uint64_t version) {
    auto& n = nodes_[i];
    if (version <= n.list_version) return;
    n.list_version = version;
    act(i, n.leases->set_members(version, lists_[version], local(n)));
  }

  void step(bool faults) {
    auto at = ticks_.empty() ? time::max() : ticks_.begin()->first;
    if (!writes_.empty()) at = std::min(at, writes_.begin()->first);
    if (auto next = network_.next()) at = std::min(at, *next);
    if (faults) at = std::min(at, next_fault_);
    real_ = std::max(real_, at);
    if (faults && next_fault_ <= real_) {
      next_fault_ = real_ + chance_.between(time(200ms), time(3s));
      return make_fault();
    }
    if (auto next = network_.next(); next && *next <= real_) return deliver(network_.take());
    if (!writes_.empty() && writes_.begin()->first <= real_) return finish_write();
    if (ticks_.empty()) return;
    auto i = ticks_.begin()->second;
    ticks_.erase(ticks_.begin());
    if (nodes_[i].running) tick(i);
  }
  void run_until(time end) {
    while (real_ < end) step(false);
  }

  void finish_write() {
    auto w = std::move(writes_.extract(writes_.begin()).mapped());
    auto& n = nodes_[w.node];
    if (!n.running || n.life != w.life) return;
    bool done = !disk_fails_ || !chance_.happens(0.3);
    if (done) keep(n, w.promises);
    act(w.node, n.leases->persisted(w.promises, done, local(n)));
  }

  void deliver(const simulated_network<simulated_message>::delivery& d) {
    if (auto* w = std::get_if<write>(&d.message)) return store_.take(d.from, *w);
    auto& n = nodes_[d.to];
    if (!n.running) return;
    auto& from = nodes_[d.from].id;
    if (auto* beat = std::get_if<heartbeat>(&d.message)) {
      auto& known = n.versions[d.from];
      known = std::max(known, beat->list_version);
      adopt(d.to, beat->list_version);
      auto now = local(n);
      auto [seen, fresh] = n.heard.try_emplace(from, std::pair(now, now));
      if (!fresh && now - seen->second.first > peer_timeout) seen->second.second = now;
      seen->second.first = now;
    } else {
      auto message = decode_lease_message(std::get<byte_buffer>(d.message));
      if (!message) throw broken("a message of a core was refused: " + message.error().what);
      act(d.to, n.leases->heard(from, *message, local(n)));
    }
  }

  void tick(std::size_t i) {
    auto& n = nodes_[i];
    auto pause = chance_.happens(pauses_) ? chance_.between(time(0), time(4s)) : time(0);
    ticks_.emplace(real_ + tick_interval + pause + chance_.between(time(0), time(5ms)), i);
    auto now = local(n);
    if (now >= n.next_beat) {
      n.next_beat = now + beat_interval;
      for (std::size_t to = 0; to < nodes_.size(); ++to)
        if (to != i) network_.send(i, to, heartbeat{n.list_version}, real_);
      if (options_.placed) place(i);
      else wish_at_random(i);
    }
    act(i, n.leases->tick(now));
    for (auto& seen : n.leases->view(now))
      if (seen.holder == n.id)
        if (auto held = n.leases->held({seen.role, seen.place}, now))
          network_.send(i, store_address, write{{seen.role, seen.place}, held->fence}, real_);
  }

  void place(std::size_t i) {
    auto& n = nodes_[i];
    auto now = local(n);
    std::vector<placement_member> members;
    for (auto& id : lists_[n.list_version]) {
      auto seen = n.heard.find(id);
      bool up = id == n.id || (seen != n.heard.end() && now - seen->second.first <= peer_timeout);
      members.push_back({id, nodes_[index_of(id)].name, up, up && id != n.id ? seen->second.second : n.clock_offset});
    }
    for (auto& w : n.placement->decide(members, n.leases->view(now), now)) wish(i, w.lease, w.wanted);
  }
  void wish_at_random(std::size_t i) {
    for (auto& rule : rules_)
      for (std::uint32_t p = 0; p < rule.count; ++p)
        if (chance_.happens(0.2)) wish(i, {rule.role, p}, chance_.happens(0.6));
  }
  void wish(std::size_t i, const lease_name& lease, bool wanted) {
    auto& n = nodes_[i];
    auto out = n.leases->wish(lease, wanted, local(n));
    if (!out) throw broken("a wish was refused: " + out.error().what);
    act(i, *out);
  }

  void act(std::size_t i, const lease_outputs& out) {
    auto& n = nodes_[i];
    for (auto& letter : out.messages) network_.send(i, index_of(letter.to), encode_lease_message(letter.message), real_);
    if (!out.promises.empty()) {
      auto takes = chance_.between(time(0), slow_disks_ ? time(1500ms) : time(30ms));
      writes_.emplace(real_ + takes, disk_write{i, n.life, out.promises});
    }
    for (auto& event : out.events) judge_event(i, event);
    judge_holdings(i);
  }

  void judge_event(std::size_t i, const lease_event& event) {
    ++changes_;
    if (!event.gained) return;
    ++gains_;
    auto& [fence, owner] = newest_gain_[event.lease];
    if (event.fence < fence) throw broken("the numbers of " + named(event.lease) + " fell");
    if (event.fence == fence && owner != i) throw broken("two nodes gained " + named(event.lease) + " with one number");
    fence = event.fence;
    owner = i;
  }

  /// The promise of it all.
  void judge_holdings(std::size_t i) {
    auto& n = nodes_[i];
    for (auto& rule : rules_)
      for (std::uint32_t p = 0; p < rule.count; ++p) {
        lease_name lease{rule.role, p};
        if (!n.leases->held(lease, local(n))) continue;
        for (auto& other : nodes_)
          if (&other != &n && other.running && other.leases->held(lease, local(other)))
            throw broken(n.name + " and " + other.name + " hold " + named(lease) + " at one time");
      }
  }
  static std::string named(const lease_name& lease) { return lease.role + " " + std::to_string(lease.place); }

  void make_fault() {
    auto any = [&] { return static_cast<std::size_t>(chance_.below(nodes_.size())); };
    switch (chance_.below(12)) {
      case 0: case 1: return crash(any());
      case 2: case 3: case 4:
        for (std::size_t i = 0; i < nodes_.size(); ++i)
          if (!nodes_[i].running && chance_.happens(0.6)) start(i);
        return;
      case 5: { // Two parts.
        auto side = chance_.below(~0ull);
        for (std::size_t a = 0; a < nodes_.size(); ++a)
          for (std::size_t b = 0; b < a; ++b)
            if ((side >> (a % 64) & 1) != (side >> (b % 64) & 1)) network_.cut_both(a, b);
        return;
      }
      case 6: { // One hears nobody, or is heard by nobody, or a few lines are dead one way.
        auto one = any();
        bool deaf = chance_.happens(0.5);
        auto share = chance_.happens(0.5) ? 1.0 : 0.5;
        for (std::size_t other = 0; other < nodes_.size(); ++other)
          if (other != one && chance_.happens(share)) deaf ? network_.cut(other, one) : network_.cut(one, other);
        return;
      }
      case 7: return network_.heal();
      case 8:
        network_.now_is.loss = chance_.happens(0.5) ? 0.0 : 0.3;
        network_.now_is.doubling = chance_.happens(0.5) ? 0.0 : 0.2;
        network_.now_is.straggling = chance_.happens(0.5) ? 0.0 : 0.05;
        network_.now_is.delay_max = chance_.happens(0.7) ? 20ms : 700ms;
        return;
      case 9: pauses_ = chance_.happens(0.5) ? 0.0 : 0.02; return;
      case 10: slow_disks_ = chance_.happens(0.5); disk_fails_ = chance_.happens(0.3); return;
      default: return change_list(any());
    }
  }

  /// One member comes or goes, once a majority has the list of before: what lease_core requires.
  void change_list(std::size_t at) {
    auto& n = nodes_[at];
    auto list = newest();
    if (!n.running || n.list_version + 1 != lists_.size() || !lists(list, n.id)) return;
    std::size_t have = 1;
    for (auto& [peer, version] : n.versions)
      if (version == n.list_version && lists(list, nodes_[peer].id)) ++have;
    if (have <= list.size() / 2) return;
    auto& subject = nodes_[chance_.below(nodes_.size())].id;
    if (lists(list, subject)) {
      if (list.size() <= 3) return;
      std::erase(list, subject);
    } else {
      list.push_back(subject);
    }
    lists_.push_back(list);
    adopt(at, lists_.size() - 1);
  }

  void make_peace() {
    network_.heal();
    network_.now_is = {};
    pauses_ = 0;
    slow_disks_ = disk_fails_ = false;
    for (std::size_t i = 0; i < nodes_.size(); ++i)
      if (!nodes_[i].running && chance_.happens(0.7)) start(i);
    for (std::size_t i = 0; i < nodes_.size() && !majority_runs(); ++i)
      if (!nodes_[i].running) start(i);
  }
  /// A change that only a node which is down knows of has not happened yet.
  [[nodiscard]] const std::vector<node_id>& known_list() const {
    std::uint64_t version = 0;
    for (auto& n : nodes_)
      if (n.running) version = std::max(version, n.list_version);
    return lists_[version];
  }
  [[nodiscard]] bool majority_runs() const {
    std::size_t running = 0;
    for (auto& id : known_list()) running += nodes_[index_of(id)].running;
    return running > known_list().size() / 2;
  }

  [[nodiscard]] std::vector<std::size_t> holders_of(const placement_rule& rule) const {
    std::vector<std::size_t> out;
    for (std::uint32_t p = 0; p < rule.count; ++p)
      for (std::size_t i = 0; i < nodes_.size(); ++i)
        if (nodes_[i].running && nodes_[i].leases->held({rule.role, p}, local(nodes_[i]))) out.push_back(i);
    return out;
  }
  [[nodiscard]] bool all_held() const {
    return std::ranges::all_of(rules_, [&](auto& rule) { return holders_of(rule).size() == rule.count; });
  }
  /// Worked out again, in another way than the core does.
  [[nodiscard]] bool as_preferred() const {
    for (auto& rule : rules_) {
      std::vector<std::size_t> ranked;
      auto star = std::ranges::find(rule.nodes, "*") - rule.nodes.begin();
      for (std::size_t i = 0; i < nodes_.size(); ++i)
        if (nodes_[i].running && lists(known_list(), nodes_[i].id)) ranked.push_back(i);
      auto rank = [&](std::size_t i) {
        auto at = std::ranges::find(rule.nodes, nodes_[i].name);
        return std::pair(at == rule.nodes.end() ? star : at - rule.nodes.begin(), i);
      };
      std::ranges::sort(ranked, {}, rank);
      std::map<std::size_t, std::size_t> expected, found;
      for (std::size_t p = 0; p < rule.count; ++p) ++expected[ranked[p % ranked.size()]];
      for (auto i : holders_of(rule)) ++found[i];
      if (expected != found) return false;
    }
    return true;
  }
  [[nodiscard]] std::string told() const {
    std::ostringstream out;
    out << "list";
    for (auto& id : known_list()) out << ' ' << nodes_[index_of(id)].name;
    out << ';';
    for (auto& rule : rules_) {
      out << ' ' << rule.role << " x" << rule.count << " [";
      for (auto& name : rule.nodes) out << name << ' ';
      out << "] at";
      for (auto i : holders_of(rule)) out << ' ' << nodes_[i].name;
      out << ';';
    }
    out << " down:";
    for (auto& n : nodes_)
      if (!n.running) out << ' ' << n.name;
    return out.str();
  }

  static constexpr std::size_t store_address = 1000;

  world_options options_;
  chance chance_;
  simulated_network<simulated_message> network_;
  std::vector<node> nodes_;
  std::vector<placement_rule> rules_;
  std::vector<std::vector<node_id>> lists_; // By version.
  std::multimap<time, std::size_t> ticks_;
  std::multimap<time, disk_write> writes_;
  std::map<lease_name, std::pair<std::uint64_t, std::size_t>> newest_gain_;
  fenced_store store_;
  time real_{}, next_fault_{};
  double pauses_ = 0;
  bool slow_disks_ = false, disk_fails_ = false;
  std::uint64_t gains_ = 0, changes_ = 0;
};

} // namespace lucid::simulation
