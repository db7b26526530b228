// actors/recorder/standby_core.cpp - plans told, plans kept, plans begun.
#include "actors/recorder/standby_core.hpp"

#include <algorithm>

#include "adapters/sodium/secret.hpp"
#include "messages/worker_protocol.hpp"

namespace lucid {
namespace {

constexpr std::size_t text_bytes_max = 200;    ///< Title and owner, as messages/session.hpp says.
constexpr std::size_t encoder_bytes_max = 64;
constexpr std::string_view continued = "(goes on from ";
constexpr std::size_t shown_digits = 12;       ///< As short_id shows.
constexpr std::int64_t us_per_second = 1'000'000;

bool is_loopback(const std::string& host) {
  return host == "localhost" || host == "::1" || host.starts_with("127.");
}

bool is_hex(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); });
}

/// The title that `continued_title` was given, if this is one of its making.
std::string_view without_continuation(std::string_view title) {
  auto at = title.rfind(continued);
  if (at == std::string_view::npos || !title.ends_with(')')) return title;
  auto rest = title.substr(at + continued.size());
  if (rest.size() < shown_digits || !is_hex(rest.substr(0, shown_digits)) || !rest.substr(shown_digits).starts_with(" on "))
    return title;
  if (at > 0 && title[at - 1] == ' ') --at;
  return title.substr(0, at);
}

/// At most `size_bytes` of it, without the first bytes of a character.
std::string_view cut_utf8(std::string_view text, std::size_t size_bytes) {
  if (text.size() <= size_bytes) return text;
  while (size_bytes > 0 && (static_cast<unsigned char>(text[size_bytes]) & 0xC0) == 0x80) --size_bytes;
  return text.substr(0, size_bytes);
}

/// What is left of the length that was asked for; none: nothing. 0 stands for a node's own maximum.
std::optional<std::uint32_t> remaining_seconds(const standby_plan& plan, unix_time_us wall) {
  auto length = plan.wish.policy.length_seconds_max;
  if (length == 0) return 0;
  auto passed = std::max<std::int64_t>(0, wall - plan.created_us) / us_per_second;
  if (passed >= length) return std::nullopt;
  return length - static_cast<std::uint32_t>(passed);
}

std::string named(const standby_key& key, const std::string& recorder) {
  return short_id(key.session).append(" of ").append(recorder);
}

} // namespace

bool is_seen_by_others(const source_url& source) {
  switch (source.kind) {
    case source_kind::rdp: return !is_loopback(source.host);
    case source_kind::generator: return true; // Made of its seed alone.
    case source_kind::x11:
    case source_kind::file:
    case source_kind::standard_input: break;
  }
  return false;
}

std::string continued_title(std::string_view title, const session_id& from, std::string_view recorder) {
  std::string end(continued);
  end.append(short_id(from)).append(" on ").append(recorder).append(")");
  auto begin = cut_utf8(without_continuation(title), text_bytes_max - std::min(text_bytes_max, end.size() + 1));
  return begin.empty() ? end : std::string(begin).append(" ").append(end);
}

outcome<void> check_plan(const standby_plan& plan) {
  auto refuse = [](std::string what) { return fail(errc::invalid_input, "standby", std::move(what)); };
  auto source = parse_source_url(plan.wish.what.source);
  if (!source) return pass_on(std::move(source));
  if (!is_seen_by_others(*source))
    return fail(errc::unsupported, "standby", "no other node sees the source " + shown_source(*source));
  auto& what = plan.wish.what;
  auto& policy = plan.wish.policy;
  if (what.username.size() > worker_word_size_bytes_max || what.password.size() > worker_secret_size_bytes_max)
    return refuse("a user name has at most 256 bytes, a password 1024");
  if (what.width < 64 || what.width > 8192 || what.height < 64 || what.height > 8192)
    return refuse("a desktop has 64 to 8192 pixels each way");
  if (what.frame_rate_max < 1 || what.frame_rate_max > 120 || what.quality > 51 || what.encoder.size() > encoder_bytes_max)
    return refuse("frame rate, quality or encoder are out of bounds");
  if (policy.title.size() > text_bytes_max || policy.owner.size() > text_bytes_max)
    return refuse("title and owner have at most 200 bytes each");
  if (policy.recipients.empty() || policy.recipients.size() > recipient_count_max)
    return refuse("a recording has 1 to 64 recipients");
  if (plan.created_us < 0) return refuse("a session was not created before 1970");
  return {};
}

// --- kept_plan ------------------------------------------------------------------------------------------------------

// Copied and wiped, not moved: a short string that is moved leaves its bytes behind.
kept_plan::kept_plan(kept_plan&& other) noexcept : plan_(other.plan_) { other.wipe_password(); }

kept_plan& kept_plan::operator=(kept_plan&& other) noexcept {
  if (this == &other) return *this;
  wipe_password();
  plan_ = other.plan_;
  other.wipe_password();
  return *this;
}

void kept_plan::wipe_password() noexcept { wipe(plan_.wish.what.password); }

// --- the cluster ----------------------------------------------------------------------------------------------------

void standby_core::set_members(const std::vector<standby_member>& members, bool has_lease, time now) {
  has_lease_ = has_lease;
  std::map<node_id, member_state> anew;
  for (auto& member : members) {
    if (member.id == settings_.self) continue;
    auto known = members_.find(member.id);
    bool same = known != members_.end() && known->second.seen.up == member.up;
    anew[member.id] = {member, same ? known->second.since : now};
  }
  members_ = std::move(anew);
  auto gone = [this](const node_id& id) { return !members_.contains(id); };
  std::erase_if(watches_, [&](auto& one) { return gone(one.first.recorder); });
  for (auto& [key, said] : words_) std::erase_if(said.at, [&](auto& one) { return gone(one.first); });
  forget_heard_drops();
}

// --- as a recorder --------------------------------------------------------------------------------------------------

bool standby_core::set_session(const standby_plan& plan) {
  standby_key key{settings_.self, plan.session};
  auto known = words_.find(key);
  bool is_new = known == words_.end() || !known->second.plan;
  if (is_new && sessions().size() >= standby_plans_max) return false;
  words_[key] = word{kept_plan(plan), std::nullopt, 0, {}};
  return true;
}

void standby_core::end_session(const session_id& session) {
  standby_key key{settings_.self, session};
  auto known = words_.find(key);
  if (known != words_.end() && known->second.plan) make_drop(key, std::nullopt);
}

std::vector<session_id> standby_core::sessions() const {
  std::vector<session_id> ids;
  for (auto& [key, said] : words_)
    if (said.plan) ids.push_back(key.session);
  return ids;
}

const standby_plan* standby_core::plan_to_tell(const standby_key& what) const {
  auto known = words_.find(what);
  return known == words_.end() || !known->second.plan ? nullptr : &**known->second.plan;
}

/// To those who may know of it; of what another recorder had, to all but that.
void standby_core::make_drop(const standby_key& what, std::optional<session_id> after) {
  word drop;
  drop.after = after;
  drop.age = ++last_number_;
  auto known = words_.find(what);
  for (auto& [id, member] : members_) {
    bool may_know = member.seen.may_record && id != what.recorder;
    if (what.recorder == settings_.self) may_know = known != words_.end() && known->second.at[id].asked;
    if (may_know) drop.at.emplace(id, hearing{});
  }
  words_[what] = std::move(drop);
  forget_heard_drops();
}

void standby_core::forget_heard_drops() {
  std::erase_if(words_, [](auto& one) {
    auto& said = one.second;
    return !said.plan && std::all_of(said.at.begin(), said.at.end(), [](auto& h) { return h.second.known; });
  });
  auto is_drop = [](auto& one) { return !one.second.plan; };
  // Whoever does not hear of it hears nothing of the plan either, and forgets it.
  while (std::count_if(words_.begin(), words_.end(), is_drop) > static_cast<std::ptrdiff_t>(standby_drops_max)) {
    auto oldest = words_.end();
    for (auto at = words_.begin(); at != words_.end(); ++at)
      if (is_drop(*at) && (oldest == words_.end() || at->second.age < oldest->second.age)) oldest = at;
    words_.erase(oldest);
  }
}

bool standby_core::wants_to_hear(const standby_key& what, const word& said, const member_state& member, time now) {
  auto& to = member.seen;
  if (!to.up || !to.may_record || to.road == 0 || to.id == what.recorder) return false;
  auto known = said.at.find(to.id);
  if (known == said.at.end()) return said.plan.has_value();
  if (said.after) {
    auto first = words_.find({settings_.self, *said.after});
    if (first != words_.end() && first->second.plan) {
      auto heard = first->second.at.find(to.id);
      if (heard == first->second.at.end() || !heard->second.known) return false;
    }
  }
  auto& h = known->second;
  bool same_road = h.road == to.road;
  if (h.ask != 0 && same_road) return false;
  if (h.known && same_road && (!said.plan || now - h.told_at < retell_after)) return false;
  return h.not_before <= now || !same_road;
}

void standby_core::tell_all(std::vector<standby_command>& out, time now) {
  for (auto& [id, member] : members_) {
    std::size_t under_way = 0;
    for (auto& [key, said] : words_)
      if (auto h = said.at.find(id); h != said.at.end() && h->second.ask != 0 && h->second.road == member.seen.road) ++under_way;
    for (auto& [key, said] : words_) {
      if (under_way >= standby_asks_max) break;
      if (!wants_to_hear(key, said, member, now)) continue;
      auto& h = said.at[id];
      if (h.road != member.seen.road) h = {};
      h.ask = ++last_number_;
      h.road = member.seen.road;
      h.asked = true;
      out.push_back(standby_action::tell{h.ask, id, key, !said.plan});
      ++under_way;
    }
  }
}

standby_core::hearing* standby_core::under_way(const standby_action::tell& action) {
  auto said = words_.find(action.what);
  if (said == words_.end()) return nullptr;
  auto h = said->second.at.find(action.to);
  return h == said->second.at.end() || h->second.ask != action.number ? nullptr : &h->second;
}

void standby_core::told(const standby_action::tell& action, time now) {
  auto* h = under_way(action);
  if (!h) return;
  h->ask = 0;
  h->known = true;
  h->told_at = now;
  h->pause = retry_min;
  if (action.drop) forget_heard_drops();
}

void standby_core::not_told(const standby_action::tell& action, time now) {
  auto* h = under_way(action);
  if (!h) return;
  h->ask = 0;
  h->known = false;
  back_off(h->not_before, h->pause, now);
}

void standby_core::back_off(time& not_before, time& pause, time now) {
  not_before = now + pause;
  pause = std::min(pause * 2, retry_max);
}

// --- as a stand-in --------------------------------------------------------------------------------------------------

standby_status standby_core::status_of(const node_id& recorder) const {
  auto of_it = [&](auto& one) { return one.first.recorder == recorder; };
  return {static_cast<std::uint32_t>(std::count_if(watches_.begin(), watches_.end(), of_it))};
}

outcome<standby_status> standby_core::put(const standby_plan& plan, time now, unix_time_us wall) {
  if (auto sound = check_plan(plan); !sound) return tl::unexpected(sound.error());
  standby_key key{plan.recorder, plan.session};
  auto recorder = members_.find(key.recorder);
  if (recorder == members_.end() || !recorder->second.seen.may_record)
    return fail(errc::permission_denied, "standby", "the recorder of the plan is no other member that may record");
  words_.erase(key); // It records on after all: nobody is told any more that the plan is done.
  auto known = watches_.find(key);
  if (known == watches_.end()) {
    if (!remaining_seconds(plan, wall)) return status_of(key.recorder);
    if (status_of(key.recorder).plan_count >= standby_plans_max || watches_.size() >= standby_plans_all_max)
      return fail(errc::limit_exceeded, "standby", "at most 64 plans of a recorder are kept, 1024 of all");
    known = watches_.emplace(key, watch{}).first;
  }
  auto& one = known->second;
  one.plan = kept_plan(plan);
  one.heard_at = now;
  if (one.now == phase::starting) one.put_again = true;
  if (one.now == phase::done) one.now = phase::waiting;
  if (one.now == phase::going_on) {
    one.now = phase::stopping;
    one.not_before = now;
    one.pause = retry_min;
  }
  return status_of(key.recorder);
}

standby_status standby_core::drop(const standby_key& what) {
  watches_.erase(what); // What was begun in its place goes on.
  return status_of(what.recorder);
}

std::vector<standby_command> standby_core::next(time now, unix_time_us wall) {
  std::vector<standby_command> out;
  for (auto at = watches_.begin(); at != watches_.end();)
    at = watch_over(at->first, at->second, out, now, wall) ? std::next(at) : watches_.erase(at);
  tell_all(out, now);
  return out;
}

/// False: the plan is over.
bool standby_core::watch_over(const standby_key& key, watch& one, std::vector<standby_command>& out, time now,
                              unix_time_us wall) {
  auto& recorder = members_.at(key.recorder);
  bool own_runs = words_.contains({settings_.self, one.own}) && words_.at({settings_.self, one.own}).plan;
  bool silent = recorder.seen.up && now - std::max(one.heard_at, recorder.since) >= silence_max;
  switch (one.now) {
    case phase::waiting: return !silent && begin(key, one, out, now, wall);
    case phase::starting: return true;
    case phase::going_on:
      if (!own_runs) one.now = phase::done;
      return !silent;
    case phase::stopping:
      if (!own_runs) one.now = phase::waiting;
      else end_own(key, one, out, now);
      return true;
    case phase::done: break;
  }
  return !silent && remaining_seconds(*one.plan, wall);
}

bool standby_core::begin(const standby_key& key, watch& one, std::vector<standby_command>& out, time now, unix_time_us wall) {
  auto left = remaining_seconds(*one.plan, wall);
  if (!left) return false;
  auto& recorder = members_.at(key.recorder);
  bool lost = !recorder.seen.up && now - std::max(one.heard_at, recorder.since) >= settings_.lost_after;
  if (!has_lease_ || !lost || one.not_before > now) return true;
  one.now = phase::starting;
  one.put_again = false;
  one.attempt = ++last_number_;
  auto& wish = one.plan->wish;
  standby_action::start start{one.attempt, key, recorder.seen.name, {}};
  start.wish.policy = wish.policy;
  start.wish.policy.title = continued_title(wish.policy.title, key.session, recorder.seen.name);
  start.wish.policy.length_seconds_max = *left;
  auto& what = start.wish.what;
  what.source = wish.what.source;
  what.username = wish.what.username;
  what.width = wish.what.width;
  what.height = wish.what.height;
  what.frame_rate_max = wish.what.frame_rate_max;
  what.encoder = wish.what.encoder;
  what.quality = wish.what.quality;
  out.push_back(std::move(start));
  return true;
}

void standby_core::end_own(const standby_key& key, watch& one, std::vector<standby_command>& out, time now) {
  if (one.attempt != 0 || one.not_before > now) return;
  one.attempt = ++last_number_;
  auto& name = members_.at(key.recorder).seen.name;
  out.push_back(standby_action::stop{one.attempt, key, one.own, std::string(name).append(" records again")});
}

template <class Action>
standby_core::watch* standby_core::under_way(const Action& action) {
  auto known = watches_.find(action.instead_of);
  return known == watches_.end() || known->second.attempt != action.number ? nullptr : &known->second;
}

const std::string* standby_core::password_of(const standby_action::start& action) const {
  auto known = watches_.find(action.instead_of);
  if (known == watches_.end() || known->second.attempt != action.number) return nullptr;
  return &known->second.plan->wish.what.password;
}

void standby_core::started(const standby_action::start& action, const session_summary& own) {
  auto* one = under_way(action);
  standby_plan plan{settings_.self, own.id, action.wish, own.created_us};
  if (one) plan.wish.what.password = one->plan->wish.what.password;
  set_session(plan);
  wipe(plan.wish.what.password);
  if (!one) return; // Dropped meanwhile: what was begun goes on.
  one->attempt = 0;
  one->own = own.id;
  if (std::exchange(one->put_again, false)) {
    one->now = phase::stopping;
    return;
  }
  one->now = phase::going_on;
  one->plan.wipe_password();
  make_drop(action.instead_of, own.id);
}

void standby_core::not_started(const standby_action::start& action, bool for_good, time now) {
  auto* one = under_way(action);
  if (!one) return;
  one->attempt = 0;
  one->put_again = false;
  one->now = for_good ? phase::done : phase::waiting;
  if (for_good) one->plan.wipe_password();
  back_off(one->not_before, one->pause, now);
}

void standby_core::stopped(const standby_action::stop& action) {
  auto* one = under_way(action);
  if (!one) return;
  one->attempt = 0;
  one->pause = retry_min;
  one->now = phase::waiting;
}

void standby_core::not_stopped(const standby_action::stop& action, time now) {
  auto* one = under_way(action);
  if (!one) return;
  one->attempt = 0;
  back_off(one->not_before, one->pause, now);
}

// --- for people -----------------------------------------------------------------------------------------------------

standby_counts standby_core::counts() const {
  standby_counts found;
  found.plans = watches_.size();
  for (auto& [key, one] : watches_) found.standing_in += one.now == phase::going_on ? 1 : 0;
  for (auto& [key, said] : words_) {
    if (!said.plan) continue;
    ++found.sessions;
    for (auto& [id, member] : members_) {
      if (!member.seen.may_record) continue;
      auto h = said.at.find(id);
      if (h != said.at.end() && h->second.known && h->second.road == member.seen.road) ++found.told;
      else if (member.seen.up) ++found.to_tell;
    }
  }
  return found;
}

std::vector<std::string> standby_core::standing_in_for() const {
  std::vector<std::string> shown;
  for (auto& [key, one] : watches_)
    if (one.now == phase::going_on)
      shown.push_back(named(key, members_.at(key.recorder).seen.name).append(" as ").append(short_id(one.own)));
  return shown;
}

} // namespace lucid
