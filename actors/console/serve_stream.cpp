// actors/console/serve_stream.cpp - pages that watch: rounds of looking and telling, while anybody does.
#include "actors/console/capsule_json.hpp"
#include "actors/console/console_shell.hpp"

namespace lucid {

using nlohmann::json;

namespace {

constexpr std::string_view flow_prefix = "flow:";
constexpr std::uint32_t watched_sessions_max = 1000;

} // namespace

void console_shell::carry_out(const asker& from, const api::open_stream&) const {
  if (!from.wants_stream)
    return refuse(from, {errc::invalid_input, "stream", "this address becomes a WebSocket: ask for one", nullptr});
  auto& s = state();
  s.streams.opened(from.request);
  s.stream_owners[from.request] = from.who;
  send(from.request, {101, "", ""});
}

void console_shell::heard(std::uint64_t stream, const std::string& text) const {
  if (auto understood = state().streams.heard(stream, text, clock_->monotonic()); !understood) {
    note_refusal("stream", understood.error().what);
    if (state().server) state().server->close(stream);
    return;
  }
  read_taps(); // A tap counts from the moment it is asked for.
  arm();
}

void console_shell::skipped(std::uint64_t stream) const { state().streams.skipped(stream); }

void console_shell::closed(std::uint64_t stream) const {
  state().streams.closed(stream);
  state().stream_owners.erase(stream);
  read_taps();
}

// --- rounds -------------------------------------------------------------------------------------------------------

void console_shell::arm() const {
  auto& s = state();
  auto due = s.streams.next_due();
  if (s.in_round || !due) return;
  auto wait = std::max(*due - clock_->monotonic(), std::chrono::nanoseconds(0));
  run_later(self_, wait, [me = *this, alarm = ++s.alarm] {
    if (alarm == me.state().alarm && !me.state().in_round) me.begin_round();
  });
}

void console_shell::begin_round() const {
  auto now = clock_->monotonic();
  end_stale_streams(now);
  auto& s = state();
  s.in_round = true;
  // The last of those who look lets go of it: the round ends. One that does not answer in time holds it up no longer.
  look_for(s.streams.due_topics(now), when_dropped([me = *this] { me.end_round(); }));
}

void console_shell::look_for(const std::set<std::string>& topics, const std::shared_ptr<void>& until_done) const {
  auto& s = state();
  auto wants_tree = [](const std::string& topic) {
    return topic == "actors" || topic == "letters" || topic.starts_with(flow_prefix);
  };
  if (std::any_of(topics.begin(), topics.end(), wants_tree))
    with_tree(
      [me = *this, topics, until_done](std::vector<inspection>& tree) {
        auto& mine = me.state();
        me.took_tree(tree);
        for (auto& topic : topics)
          if (topic.starts_with(flow_prefix)) {
            session_id id{};
            if (from_hex_into(topic.substr(flow_prefix.size()), id)) mine.streams.take_object(topic, me.flow_of(id, tree));
          }
        if (topics.count("letters")) mine.streams.take_object("letters", me.letters(tree));
        if (topics.count("actors")) mine.streams.take_actors(std::move(tree));
      },
      [until_done](const caf::error&) {});
  if (topics.count("sessions"))
    s.store.request(self_, status_patience, session_list_request{false, 0, watched_sessions_max})
      .then(
        [me = *this, until_done](std::vector<session_summary>& rows) {
          me.with_live(std::move(rows), [me, until_done](std::vector<session_summary>& live) {
            me.state().streams.take_sessions(std::move(live));
          });
        },
        [until_done](const caf::error&) {});
  if (topics.count("node"))
    s.ledger.request(self_, status_patience, ledger_status_request{})
      .then(
        [me = *this, until_done](const ledger_status& ledger) {
          me.with_machine([me, until_done, height = ledger.height] {
            auto told = me.node_facts();
            told["ledger_height"] = height;
            told.update(me.state().machine->report());
            me.state().streams.take_object("node", told);
          });
        },
        [me = *this, until_done](const caf::error&) {
          auto told = me.node_facts();
          told.update(me.state().machine->report());
          me.state().streams.take_object("node", told);
        });
}

void console_shell::end_round() const {
  auto& s = state();
  read_taps();
  for (auto& frame : s.streams.frames(clock_->monotonic()))
    if (s.server) s.server->send(frame.stream, std::move(frame.text));
  s.in_round = false;
  arm();
}

// A stream outlives the request that began it, but not the login.
void console_shell::end_stale_streams(std::chrono::nanoseconds now) const {
  auto& s = state();
  if (!s.access || !s.server) return;
  for (auto& [stream, owner] : s.stream_owners)
    if (!s.access->lasts(owner, now)) s.server->close(stream);
}

void console_shell::read_taps() const {
  auto& s = state();
  auto wanted = s.streams.tapped_paths();
  for (auto& path : wanted) {
    auto& reader = s.taps[path];
    if (!reader) reader = std::make_unique<tap_reader>(*names_, path);
    auto news = reader->read();
    for (auto& message : news.messages) s.streams.tapped(path, to_json(message));
    s.streams.tap_missed(path, news.missed);
  }
  std::erase_if(s.taps, [&](auto& tap) { return wanted.count(tap.first) == 0; });
}

} // namespace lucid
