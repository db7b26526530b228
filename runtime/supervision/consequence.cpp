// runtime/supervision/consequence.cpp - the strategies, read from a look at the tree.
#include "runtime/supervision/consequence.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "runtime/supervision/rules.hpp"

namespace lucid {
namespace {

using nodes = std::vector<const inspection*>;

std::string_view id_of(std::string_view path) { return path.substr(path.rfind('/') + 1); } // npos + 1 is 0.

const inspection* find(const std::vector<inspection>& tree, std::string_view path) {
  auto at = std::find_if(tree.begin(), tree.end(), [&](const inspection& one) { return one.path == path; });
  return at == tree.end() ? nullptr : &*at;
}

nodes children_of(const std::vector<inspection>& tree, std::string_view path) {
  nodes all;
  for (const auto& one : tree)
    if (one.spec.parent == path && one.path != path) all.push_back(&one);
  std::sort(all.begin(), all.end(), [](auto* a, auto* b) { return a->spec.position < b->spec.position; });
  return all;
}

bool temporary(const inspection& one) { return one.spec.restart == to_string(restart::temporary); }

/// Collects who comes back and who does not.
class reach {
public:
  explicit reach(const std::vector<inspection>& tree) : tree_(tree) {}

  /// `one` ends and is started again, and with it what is below.
  void restarts(const inspection& one) {
    into_.restarted.push_back(one.path);
    for (auto* child : children_of(tree_, one.path)) one.spec.dynamic ? ends(*child) : restarts(*child);
  }

  void ends(const inspection& one) {
    if (one.present) into_.ended.push_back(one.path);
    for (auto* child : children_of(tree_, one.path)) ends(*child);
  }

  /// `one` ends and its siblings share its fate as the strategy of `parent` says.
  void restarts_group(const inspection& one, const inspection& parent) {
    for (auto* sibling : children_of(tree_, parent.path)) {
      bool later = sibling->spec.position > one.spec.position;
      bool shares = sibling == &one || parent.spec.strategy == to_string(strategy::one_for_all) ||
                    (parent.spec.strategy == to_string(strategy::rest_for_one) && later);
      if (!shares) continue;
      if (temporary(*sibling)) {
        ends(*sibling);
        continue;
      }
      siblings_.emplace_back(id_of(sibling->path));
      restarts(*sibling);
    }
  }

  /// "restarts 2 children: storage, control, with the 3 actors below; ends for good: x"
  std::string text() const {
    auto text = fmt::format("restarts {}: {}", counted(siblings_.size(), "child", "children"), listed(siblings_));
    if (auto below = into_.restarted.size() - siblings_.size(); below > 0)
      text += fmt::format(", with the {} below", counted(below, "actor", "actors"));
    if (!into_.ended.empty()) text.append("; ").append(end_text());
    return text;
  }

  std::string end_text() const { return fmt::format("ends for good: {}", listed(into_.ended)); }

  consequence told(std::string text) && {
    into_.text = std::move(text);
    return std::move(into_);
  }

private:
  static std::string counted(std::size_t count, const char* one, const char* many) {
    return fmt::format("{} {}", count, count == 1 ? one : many);
  }

  static std::string listed(const std::vector<std::string>& names) {
    std::string text;
    auto shown = std::min(names.size(), consequence_names_max);
    for (std::size_t i = 0; i < shown; ++i) text.append(i == 0 ? "" : ", ").append(names[i]);
    if (shown < names.size()) text += fmt::format(" and {} more", names.size() - shown);
    return text;
  }

  const std::vector<inspection>& tree_;
  consequence into_;
  std::vector<std::string> siblings_; ///< The ids of those that come back, at the level of the action.
};

outcome<consequence> of_restart(const inspection& one, const inspection& parent, reach found) {
  auto id = id_of(one.path);
  if (temporary(one))
    return fail(errc::wrong_state, parent.path,
                fmt::format("cannot restart '{}': a temporary child is never started again", id));
  if (one.present) {
    found.restarts_group(one, parent);
    auto text = found.text();
    return std::move(found).told(std::move(text));
  }
  found.restarts(one);
  if (one.state_now == actor_state::waiting)
    return std::move(found).told(fmt::format("starts {} now, without waiting for its back-off", id));
  return std::move(found).told(fmt::format("starts {}", id));
}

outcome<consequence> of_kill(const inspection& one, const inspection& parent, reach found) {
  auto id = id_of(one.path);
  if (!one.present) return fail(errc::wrong_state, parent.path, fmt::format("cannot kill '{}': it is not running", id));
  if (temporary(one)) {
    found.ends(one);
    auto text = found.end_text();
    if (one.spec.significant) text += fmt::format("; {} may end with it", parent.path);
    return std::move(found).told(std::move(text));
  }
  found.restarts_group(one, parent);
  auto text = fmt::format("ends {} as if it had crashed; {}; counts towards the {} failures in {} s that {} bears", id,
                          found.text(), parent.spec.restarts_max, parent.spec.period_ms / 1000, parent.path);
  return std::move(found).told(std::move(text));
}

outcome<consequence> of_suspend(const inspection& one, const inspection& parent, reach found) {
  auto id = id_of(one.path);
  if (one.spec.supervisor)
    return fail(errc::unsupported, parent.path,
                fmt::format("cannot suspend '{}': a supervisor must be there for its children; suspend one of them", id));
  if (!one.present) return fail(errc::wrong_state, parent.path, fmt::format("cannot suspend '{}': it is not running", id));
  if (one.state_now == actor_state::suspended) return std::move(found).told(fmt::format("{} is suspended already", id));
  return std::move(found).told(fmt::format("suspends {}: what is sent to it waits until it is resumed", id));
}

outcome<consequence> of_resume(const inspection& one, const inspection& parent, reach found) {
  auto id = id_of(one.path);
  if (one.state_now != actor_state::suspended)
    return fail(errc::wrong_state, parent.path, fmt::format("cannot resume '{}': it is not suspended", id));
  return std::move(found).told(fmt::format("resumes {}: it handles what has waited ({} messages)", id, one.mailbox_length));
}

} // namespace

outcome<consequence> consequence_of(child_action action, std::string_view path, const std::vector<inspection>& tree) {
  auto* one = find(tree, path);
  if (!one) return fail(errc::not_found, "supervisor", fmt::format("there is no actor at '{}'", path));
  auto* parent = one->spec.parent.empty() ? nullptr : find(tree, one->spec.parent);
  if (!parent)
    return fail(errc::wrong_state, "supervisor",
                fmt::format("'{}' has no supervisor that could do it; stop the node", path));
  switch (action) {
    case child_action::restart: return of_restart(*one, *parent, reach(tree));
    case child_action::kill: return of_kill(*one, *parent, reach(tree));
    case child_action::suspend: return of_suspend(*one, *parent, reach(tree));
    case child_action::resume: return of_resume(*one, *parent, reach(tree));
  }
  return fail(errc::invalid_input, "supervisor", "unknown action");
}

} // namespace lucid
