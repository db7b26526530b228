// tests/actor/tap_tests.cpp - watching the messages of an actor: what is seen, what costs nothing, what nobody sees.
#define BOOST_TEST_MODULE tap_tests
#include <boost/test/unit_test.hpp>

#include "fixture.hpp"
#include "messages/pipeline_api.hpp"
#include "messages/worker_protocol.hpp"
#include "runtime/inspection/message_tap.hpp"
#include "runtime/inspection/message_text.hpp"

using namespace lucid;
using namespace lucid::test;

namespace {

// What a worker is told goes through a pipe and is no message: it has no way into a tap.
static_assert(!caf::has_type_id<worker_start>::value);

const std::string secret = "correct horse battery staple";

std::string text_of(const caf::message& message) { return message_text(message.content()); }
std::uint64_t size_of(const caf::message& message) { return message_size(message.content()); }

capture_request request() {
  capture_request wanted;
  wanted.source = "rdp://somebody:" + secret.substr(0, 7) + "@desktop:3389";
  wanted.username = "somebody";
  wanted.password = secret;
  return wanted;
}

bool leaks(const std::string& text) {
  return text.find("correct") != std::string::npos || text.find("staple") != std::string::npos;
}

/// Any interface: the recorder's messages among strings.
caf::behavior recorder_like(caf::event_based_actor* self, actor_context ctx) {
  return supervised(self, ctx,
                    {[](const session_create_request&) {}, [](const fragment&) {},
                     [self, ctx](const std::string&) {
                       ref<caf::actor>(ctx.directory(), "other").request(self, 1s, std::string("hello"))
                         .then([](const std::string&) {});
                     }});
}

struct tapped_world : world {
  tapped_world() { start({.id = "root", .children = {{.id = "r", .start = child_of(recorder_like)}, worker("other")}}); }
  void send(caf::message message) {
    caf::anon_send(caf::actor_cast<caf::actor>(names.slot("r")->present().actor), std::move(message));
    advance(1s);
  }
};

} // namespace

BOOST_AUTO_TEST_CASE(fields_are_named_and_bytes_are_counted) {
  fragment one;
  one.sequence = 12;
  one.key_frame = true;
  one.bytes = payload(byte_buffer(4096, 0xee));
  BOOST_TEST(text_of(caf::make_message(one)) ==
             "sequence=12 on=0 kind=2 key_frame=true frame_count=0 start_us=0 end_us=0 bytes=4096 bytes");
  BOOST_TEST(size_of(caf::make_message(one)) == 4096u + 8 + 1 + 1 + 1 + 4 + 8 + 8);
}

BOOST_AUTO_TEST_CASE(nested_values_digests_lists_and_names_of_states) {
  chunk_record record;
  record.key.session.fill(0xab);
  auto text = text_of(caf::make_message(record));
  BOOST_TEST(text.starts_with("key={session=abababababab.. on=0 index=0} span={first_sequence=0 "));
  session_summary summary;
  summary.state = session_state::recording;
  BOOST_TEST((text_of(caf::make_message(session_end{summary})).find("state=recording") != std::string::npos));
  BOOST_TEST(text_of(caf::make_message(journal_page{{fragment(), fragment()}})).starts_with("fragments=[{sequence=0 on=0"));
  BOOST_TEST(text_of(caf::make_message(std::uint64_t{7}, std::string("x"))) == "7, \"x\"");
  BOOST_TEST(text_of(caf::make_message(journal_sync_request{})).empty());
}

BOOST_AUTO_TEST_CASE(text_is_cut_between_characters_and_cannot_steer_a_terminal) {
  auto text = text_of(caf::make_message(session_stop_request{std::string(500, '\xc3') + "\x1b[2J"}));
  BOOST_TEST(text.size() <= tapped_fields_bytes_max);
  std::string umlauts;
  for (int i = 0; i < 300; ++i) umlauts += "\xc3\xa4";
  text = text_of(caf::make_message(session_stop_request{umlauts}));
  BOOST_TEST(text.size() <= tapped_fields_bytes_max);
  BOOST_TEST(text.size() >= tapped_fields_bytes_max - 4);
  BOOST_TEST(text.ends_with("\xa4.."));
  BOOST_TEST((text_of(caf::make_message(session_stop_request{"\x1b[2J"})) == "reason=\"\\x1b[2J\""));
}

BOOST_AUTO_TEST_CASE(no_secret_is_printed_by_us_or_by_caf) {
  session_create_request create{request(), {}};
  capture_start_request begin{{}, request()};
  session_put_request put{{}, request(), {}, {}};
  session_row row{{}, request(), {}, {}};
  for (const auto& message :
       {caf::make_message(create), caf::make_message(begin), caf::make_message(put), caf::make_message(row)}) {
    auto text = text_of(message);
    BOOST_TEST(!leaks(text));
    BOOST_TEST(!leaks(to_string(message))); // What CAF prints of unexpected messages.
    BOOST_TEST((to_string(message).find("***") != std::string::npos));
    BOOST_TEST((to_string(message).find("rdp://***@desktop:3389") != std::string::npos), to_string(message));
  }
  BOOST_TEST((text_of(caf::make_message(create)).find("password=\"***\"") != std::string::npos));
  // Neither is its length told.
  auto longer = create;
  longer.what.password += secret;
  BOOST_TEST(size_of(caf::make_message(create)) == size_of(caf::make_message(longer)));
}

BOOST_AUTO_TEST_CASE(a_password_in_a_source_is_kept_from_people_however_it_is_written) {
  for (std::string source : {"rdp://me:correct@pc", "rdp://me:correct st@ple@pc", "rdp://me:co/correct@pc", "me:correct@pc",
                             "rdp:me:correct@pc", "rdp://:correct@pc:3389/x", "\"rdp://me:correct@pc"}) {
    auto create = session_create_request{request(), {}};
    create.what.source = source;
    auto message = caf::make_message(create);
    BOOST_TEST(!leaks(to_string(message)), source);
    BOOST_TEST(!leaks(text_of(message)), source);
    BOOST_TEST((to_string(message).find("@pc") != std::string::npos), source);
  }
  for (std::string source : {"generator:seed=1", "x11://:0", "rdp://pc:3389", "-"}) {
    auto create = session_create_request{request(), {}};
    create.what.source = source;
    BOOST_TEST((to_string(caf::make_message(create)).find('"' + source + '"') != std::string::npos), source);
  }
}

BOOST_AUTO_TEST_CASE(a_secret_still_travels) {
  auto given = request();
  std::vector<char> buffer;
  runtime_config config(1, true);
  caf::actor_system system(config);
  caf::binary_serializer sink(system, buffer);
  BOOST_REQUIRE(!sink(given));
  capture_request taken;
  caf::binary_deserializer source(system, buffer);
  BOOST_REQUIRE(!source(taken));
  BOOST_TEST(taken.password == secret);
  BOOST_TEST(taken.source == given.source);
}

BOOST_FIXTURE_TEST_CASE(nobody_watches_and_nothing_is_kept, tapped_world) {
  send(caf::make_message(fragment()));
  BOOST_TEST(!names.slot("r")->tap()->on());
  BOOST_TEST(names.slot("r")->tap()->count() == 0u);
}

BOOST_FIXTURE_TEST_CASE(a_watcher_sees_what_comes_from_then_on, tapped_world) {
  send(caf::make_message(fragment()));
  {
    tap_reader tap(names, "r");
    BOOST_TEST(tap.read().messages.empty());
    fragment one;
    one.sequence = 5;
    send(caf::make_message(one));
    send(caf::make_message(session_create_request{request(), {}}));
    auto news = tap.read();
    BOOST_REQUIRE(news.messages.size() == 2u);
    BOOST_TEST(news.missed == 0u);
    BOOST_TEST(news.messages[0].type == "lucid::fragment");
    BOOST_TEST(news.messages[0].fields.starts_with("sequence=5 "));
    BOOST_TEST(news.messages[0].size_bytes == 31u);
    BOOST_TEST(news.messages[0].at_us > 1'700'000'000'000'000);
    for (const auto& seen : news.messages) BOOST_TEST(!leaks(seen.fields));
    BOOST_TEST(tap.read().messages.empty());
  }
  BOOST_TEST(!names.slot("r")->tap()->on());
  send(caf::make_message(fragment()));
  tap_reader again(names, "r");
  BOOST_TEST(again.read().messages.empty()); // Nothing from the time in between.
}

BOOST_FIXTURE_TEST_CASE(answers_are_seen_with_their_sender, tapped_world) {
  tap_reader tap(names, "r");
  send(caf::make_message(std::string("ask")));
  auto news = tap.read();
  BOOST_REQUIRE(news.messages.size() == 2u);
  BOOST_TEST(news.messages[1].type == "reply");
  BOOST_TEST(news.messages[1].sender == "other");
  BOOST_TEST(news.messages[1].fields == "\"hello\"");
}

BOOST_FIXTURE_TEST_CASE(a_tap_outlives_its_actor_and_is_bounded, tapped_world) {
  tap_reader tap(names, "r");
  kill("r");
  for (std::size_t i = 0; i < message_tap::messages_max + 44; ++i)
    caf::anon_send(caf::actor_cast<caf::actor>(names.slot("r")->present().actor), fragment());
  advance(1s);
  auto news = tap.read();
  BOOST_TEST(news.messages.size() == message_tap::messages_max);
  BOOST_TEST(news.missed == 44u);
}

BOOST_FIXTURE_TEST_CASE(two_may_watch_the_same, tapped_world) {
  auto one = std::make_unique<tap_reader>(names, "r");
  tap_reader other(names, "r");
  send(caf::make_message(fragment()));
  BOOST_TEST(one->read().messages.size() == 1u);
  one.reset();
  send(caf::make_message(fragment()));
  BOOST_TEST(other.read().messages.size() == 2u);
}
