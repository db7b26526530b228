// tests/actor/supervision_model.hpp - a second opinion on supervision: a plain, recursive model after OTP's documentation.
//
// It shares nothing with the runtime, not even its enums. Everything happens at once here: a tree is told of a crash
// and says what must be done about it, in order. Where Lucid differs from OTP (a failed first start counts as a
// failure; giving up is an abnormal end) the model says so.
#pragma once

#include <algorithm>
#include <deque>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace lucid::model {

/// The plan of a tree, in OTP's words.
struct plan {
  std::string id;
  std::string restart = "permanent";
  bool significant = false;
  bool is_supervisor = false;
  // Workers:
  bool deaf = false; ///< Does not end when asked to.
  // Supervisors:
  std::string strategy = "one_for_one";
  int intensity = 1;
  long period_ms = 5000;
  std::string auto_shutdown = "never";
  std::vector<plan> children = {};
};

class tree {
public:
  static constexpr long shutdown_ms = 100; ///< What a deaf worker costs.

  /// The plan outlives the tree.
  explicit tree(const plan& root, std::map<std::string, int> failing = {}) : failing_starts(std::move(failing)) {
    root_ = make(root, "", nullptr);
    root_->up = true;
    begin(*root_);
    settle();
  }

  long now_ms = 0;
  std::map<std::string, int> failing_starts;           ///< By path: how many more starts fail.
  std::map<std::string, std::vector<std::string>> log; ///< By supervisor: what it did, in order.
  bool root_ended = false;
  bool root_failed = false;

  /// The actor at `path` ends by itself.
  void ends(const std::string& path, bool normally) {
    if (auto* n = find(*root_, path)) tell_parent(*n, normally);
    settle();
  }

  /// A supervisor is killed from outside: what is below dies without being asked.
  void dies(const std::string& path) {
    auto* n = find(*root_, path);
    if (!n || n == root_.get()) return;
    for (auto& child : n->children) bury(*child);
    n->alive = false;
    tell_parent(*n, false);
    settle();
  }

  std::vector<std::string> living() const {
    std::vector<std::string> all;
    collect(*root_, all);
    return all;
  }

private:
  struct node {
    const plan* is = nullptr;
    node* parent = nullptr;
    std::string path;
    bool up = false;
    bool pending = false; ///< To be started, but not yet.
    bool alive = false;   ///< Supervisors: working.
    int incarnation = 0;
    std::vector<std::unique_ptr<node>> children;
    std::vector<long> restarts;
  };
  /// A supervisor has ended by itself; its parent has not yet heard.
  struct event {
    node* who;
    int incarnation;
    bool normally;
  };

  std::unique_ptr<node> make(const plan& p, const std::string& prefix, node* parent) {
    auto n = std::make_unique<node>();
    n->is = &p;
    n->parent = parent;
    n->path = prefix + p.id;
    return n;
  }

  std::string prefix_of(const node& s) const { return s.parent ? s.path + "/" : ""; }

  void say(const node& supervisor, const std::string& what) { log[supervisor.path].push_back(what); }

  // A supervisor starts its children in the order of its plan.
  void begin(node& s) {
    s.alive = true;
    s.restarts.clear();
    for (auto& old : s.children) graveyard_.push_back(std::move(old)); // Events may still name them.
    s.children.clear();
    for (const auto& p : s.is->children) s.children.push_back(make(p, prefix_of(s), &s));
    for (auto& c : s.children) c->pending = true;
    start_pending(s);
  }

  void start_pending(node& s) {
    std::deque<node*> again; // one_for_one: a start that failed waits while the others have their turn.
    while (s.alive) {
      node* next = nullptr;
      for (auto& c : s.children)
        if (c->pending && std::find(again.begin(), again.end(), c.get()) == again.end() && !next) next = c.get();
      if (!next && !again.empty()) {
        next = again.front();
        again.pop_front();
      }
      if (!next) return;
      if (start(s, *next)) continue;
      // Lucid: this counts like a crash.
      auto* failed = next;
      bool retried = failure(s, *failed, false);
      if (retried && s.alive && s.is->strategy == "one_for_one") again.push_back(failed);
    }
  }

  bool start(node& s, node& c) {
    auto& left = failing_starts[c.path];
    if (left > 0) {
      --left;
      say(s, "start fails " + c.path);
      return false;
    }
    c.pending = false;
    c.up = true;
    ++c.incarnation;
    say(s, "started " + c.path);
    if (c.is->is_supervisor) begin(c);
    return true;
  }

  // A child ended by itself or could not be started. Returns whether it is to be started again.
  bool failure(node& s, node& c, bool normally) {
    c.up = false;
    c.pending = false;
    bool again = c.is->restart == "permanent" || (c.is->restart == "transient" && !normally);
    if (!again) {
      bool significant = c.is->significant;
      if (c.is->restart == "temporary") remove(s, c);
      if (significant) significant_ended(s);
      return false;
    }
    s.restarts.push_back(now_ms);
    auto within = std::count_if(s.restarts.begin(), s.restarts.end(),
                                [&](long at) { return now_ms - at <= s.is->period_ms; });
    if (within > s.is->intensity) {
      finish(s, false); // OTP ends with "shutdown" here; Lucid says it is a failure.
      return false;
    }
    if (s.is->strategy == "one_for_one") {
      c.pending = true;
      return true;
    }
    auto at = index_of(s, c);
    auto from = s.is->strategy == "one_for_all" ? 0 : at;
    for (std::size_t i = s.children.size(); i-- > from;)
      if (s.children[i]->up) stop(s, *s.children[i]);
    // Temporary children are not brought back.
    for (std::size_t i = s.children.size(); i-- > from;)
      if (s.children[i]->is->restart == "temporary" && s.children[i]->incarnation > 0) remove(s, *s.children[i]);
    for (std::size_t i = from; i < s.children.size(); ++i) s.children[i]->pending = true;
    return true;
  }

  void significant_ended(node& s) {
    if (s.is->auto_shutdown == "never") return;
    bool left = std::any_of(s.children.begin(), s.children.end(),
                            [](const auto& c) { return c->is->significant && (c->up || c->pending); });
    if (s.is->auto_shutdown == "any_significant" || !left) finish(s, true);
  }

  // The supervisor stops all children, the last one first, and ends.
  void finish(node& s, bool normally) {
    for (std::size_t i = s.children.size(); i-- > 0;)
      if (s.children[i]->up) stop(s, *s.children[i]);
    for (auto& c : s.children) c->pending = false;
    s.alive = false;
    if (s.parent) {
      events_.push_back({&s, s.incarnation, normally});
    } else {
      s.up = false;
      root_ended = true;
      root_failed = !normally;
    }
  }

  void stop(node& s, node& c) {
    say(s, "stopping " + c.path);
    if (c.is->is_supervisor) {
      if (c.alive)
        for (std::size_t i = c.children.size(); i-- > 0;)
          if (c.children[i]->up) stop(c, *c.children[i]);
      c.alive = false;
    } else if (c.is->deaf) {
      now_ms += shutdown_ms;
      say(s, "killing " + c.path);
    }
    c.up = false;
    c.pending = false;
  }

  static void bury(node& n) {
    for (auto& child : n.children) bury(*child);
    n.up = n.alive = false;
  }

  void tell_parent(node& n, bool normally) {
    auto& s = *n.parent;
    if (failure(s, n, normally)) start_pending(s);
  }

  void settle() {
    while (!events_.empty()) {
      auto e = events_.front();
      events_.pop_front();
      // Whoever was stopped or replaced meanwhile has nothing to say any more.
      if (e.who->incarnation == e.incarnation && e.who->up && e.who->parent->alive) tell_parent(*e.who, e.normally);
    }
  }

  void remove(node& s, node& c) {
    auto at = s.children.begin() + static_cast<long>(index_of(s, c));
    graveyard_.push_back(std::move(*at));
    s.children.erase(at);
  }

  static std::size_t index_of(const node& s, const node& c) {
    std::size_t i = 0;
    while (s.children[i].get() != &c) ++i;
    return i;
  }

  static node* find(node& from, const std::string& path) {
    if (from.path == path && from.up) return &from;
    for (auto& c : from.children)
      if (auto* found = find(*c, path)) return found;
    return nullptr;
  }

  static void collect(const node& n, std::vector<std::string>& into) {
    if (n.up) into.push_back(n.path);
    for (const auto& c : n.children) collect(*c, into);
  }

  std::unique_ptr<node> root_;
  std::deque<event> events_;
  std::vector<std::unique_ptr<node>> graveyard_;
};

} // namespace lucid::model
