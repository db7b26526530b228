// tests/unit/mesh_codec_tests.cpp - addresses, statements, entries, invitations, messages: one value has one encoding.
#define BOOST_TEST_MODULE mesh_codec_tests
#include <boost/test/unit_test.hpp>

#include <zmq.h>

#include "actors/mesh/invitation_book.hpp"
#include "actors/mesh/join_message.hpp"
#include "actors/mesh/membership_message.hpp"
#include "actors/mesh/mesh_address.hpp"
#include "adapters/sodium/base64.hpp"
#include "tests/unit/mesh_fixture.hpp"

using namespace lucid;
using namespace lucid::test;

namespace {

const mesh_node a{"a"}, b{"b"}, c{"c"};
const std::string onion = "tor://" + std::string(55, 'a') + "d.onion:7800";
constexpr std::int64_t minute_us = 60'000'000;

/// Every shorter one, a longer one, and every changed byte is refused or is another value with that very encoding.
template <class Decode, class Encode>
void refuses_all_else(const byte_buffer& bytes, Decode decode, Encode encode) {
  BOOST_TEST_REQUIRE(decode(byte_view(bytes)).has_value());
  for (std::size_t size = 0; size < bytes.size(); ++size)
    BOOST_TEST_REQUIRE(!decode(byte_view(bytes).first(size)).has_value(), "first " << size << " bytes");
  auto longer = bytes;
  longer.push_back(0);
  BOOST_TEST(!decode(byte_view(longer)).has_value());
  for (std::size_t at = 0; at < bytes.size(); ++at) {
    for (std::uint8_t bit : {1, 0x80}) {
      auto changed = bytes;
      changed[at] ^= bit;
      auto read = decode(byte_view(changed));
      if (read) BOOST_TEST_REQUIRE((encode(*read) == changed), "byte " << at);
    }
  }
}

invitation sample_invitation() {
  invitation what;
  what.cluster_id.fill(1);
  what.inviter = a.id;
  what.inviter_key.fill(2);
  what.addresses = {"tcp://192.168.1.11:7800", onion};
  return what;
}

} // namespace

BOOST_AUTO_TEST_CASE(addresses_have_one_text_each) {
  for (std::string text : {"tcp://10.0.0.2:7800", "tcp://pi-1.local:1", "tcp://[fe80::1]:65535", "tcp://a:80"}) {
    auto address = must(parse_mesh_address(text));
    BOOST_TEST(to_string(address) == text);
    BOOST_TEST((address.transport == address_transport::tcp));
  }
  BOOST_TEST((must(parse_mesh_address(onion)).transport == address_transport::tor));
  BOOST_TEST(to_string(must(parse_mesh_address(onion))) == onion);
  for (std::string text :
       {"", "tcp://", "tcp://a", "tcp://:80", "tcp://a:", "tcp://a:0", "tcp://a:080", "tcp://a:65536", "tcp://a:8 0",
        "tcp://A:80", "tcp://a..b:80", "tcp://.a:80", "tcp://a.:80", "tcp://-a:80", "tcp://a-:80", "tcp://a-.b:80",
        "tcp://[10.0.0.1]:80", "tcp://[]:80", "tcp://fe80::1:80", "tor://a.onion:80", "tor://10.0.0.2:80", "udp://a:80", "tcp://a b:80",
        "tcp://a/b:80", "tcp://user@a:80", "tcp://a\n:80"})
    BOOST_TEST(!parse_mesh_address(text).has_value(), text);
  BOOST_TEST(!parse_mesh_address("tcp://" + onion.substr(6)).has_value()); // An onion service is not reached in the clear.
  BOOST_TEST(!parse_mesh_address("tcp://" + std::string(mesh_address_bytes_max, 'a') + ":80").has_value());
  BOOST_TEST(!check_mesh_addresses({"tcp://a:80", "tcp://a:80"}).has_value());
  std::vector<std::string> nine;
  for (char last = '1'; last <= '9'; ++last) nine.push_back(std::string("tcp://a:8").append(1, last));
  BOOST_TEST((check_mesh_addresses(nine).error().code == errc::limit_exceeded));
  nine.pop_back();
  BOOST_TEST(check_mesh_addresses(nine).has_value());
  for (auto name : {"a", "pi-1", "0"}) BOOST_TEST(is_node_name(name));
  for (auto name : {"", "-a", "a-", "A", "a.b", "a b", "\xc3\xa4"}) BOOST_TEST(!is_node_name(name));
  BOOST_TEST(is_node_name(std::string(63, 'a')));
  BOOST_TEST(!is_node_name(std::string(64, 'a')));
}

BOOST_AUTO_TEST_CASE(a_node_id_follows_from_its_signing_key_alone) {
  BOOST_TEST((node_id_of(a.sign->public_key()) == a.id));
  BOOST_TEST((a.id != b.id));
  BOOST_TEST((a.id != a.sign->public_key()));
}

BOOST_AUTO_TEST_CASE(our_transport_keys_are_those_of_curve) {
  mesh_random random(1);
  for (int i = 0; i < 20; ++i) {
    secret_key secret;
    random.fill(secret.span());
    char secret_text[41], public_text[41];
    BOOST_TEST_REQUIRE(zmq_z85_encode(secret_text, secret.view().data(), 32) != nullptr);
    BOOST_TEST_REQUIRE(zmq_curve_public(public_text, secret_text) == 0);
    transport_key theirs{};
    BOOST_TEST_REQUIRE(zmq_z85_decode(theirs.data(), public_text) != nullptr);
    BOOST_TEST((transport_pair_of(std::move(secret)).open == theirs));
  }
}

BOOST_AUTO_TEST_CASE(statements_read_back_and_nothing_else_does) {
  auto statement = a.statement(3);
  auto bytes = encode_statement(statement);
  BOOST_TEST((must(decode_statement(bytes)) == statement));
  BOOST_TEST((subject_of(statement) == a.id));
  for (std::size_t at = 0; at < bytes.size(); ++at) {
    auto changed = bytes;
    changed[at] ^= 1;
    BOOST_TEST_REQUIRE(!decode_statement(changed).has_value(), "byte " << at); // All of it is signed.
  }
  refuses_all_else(bytes, [](byte_view v) { return decode_statement(v); }, encode_statement);
  auto forged = statement;
  forged.sign_key = b.sign->public_key();
  BOOST_TEST((decode_statement(encode_statement(forged)).error().code == errc::bad_signature));
}

BOOST_AUTO_TEST_CASE(the_longest_statement_fits_and_bad_fields_are_refused) {
  auto whole = a.statement();
  auto long_addresses = [](char first) {
    std::vector<std::string> all;
    for (char port = '1'; port <= '8'; ++port)
      all.push_back("tcp://" + std::string(mesh_address_bytes_max - 8, first) + ":" + std::string(1, port));
    return all;
  };
  whole.name = std::string(63, 'n');
  whole.software = std::string(64, 's');
  whole.addresses = long_addresses('x');
  whole.chunk_addresses = long_addresses('y');
  auto signed_one = must(sign_statement(whole, *a.sign));
  BOOST_TEST(encode_statement(signed_one).size() <= statement_bytes_max);
  BOOST_TEST((must(decode_statement(encode_statement(signed_one))) == signed_one));
  auto refused = [&](auto change) {
    auto bad = a.statement();
    change(bad);
    BOOST_TEST(!sign_statement(bad, *a.sign).has_value());
    // Signed all the same, by somebody who does not check.
    BOOST_TEST(!decode_statement(encode_statement(bad)).has_value());
  };
  refused([](auto& s) { s.serial = 0; });
  refused([](auto& s) { s.serial = mesh_serial_max + 1; });
  refused([](auto& s) { s.name = "No"; });
  refused([](auto& s) { s.addresses = {"tcp://nowhere"}; });
  refused([](auto& s) { s.chunk_addresses.assign(9, "tcp://a:80"); });
  refused([](auto& s) { s.software = "\x1b[2J"; });
  refused([](auto& s) { s.software = std::string(65, 's'); });
}

BOOST_AUTO_TEST_CASE(the_newer_statement_counts) {
  BOOST_TEST(is_newer(a.statement(2), a.statement(1)));
  BOOST_TEST(!is_newer(a.statement(1), a.statement(2)));
  BOOST_TEST(!is_newer(a.statement(1), a.statement(1)));
  auto x = a.statement(1, 1), y = a.statement(1, 2);
  BOOST_TEST(is_newer(x, y) != is_newer(y, x));
}

BOOST_AUTO_TEST_CASE(entries_read_back_and_nothing_else_does) {
  auto list = founded_by(a);
  admit(list, b, a);
  admit(list, c, b);
  remove(list, b, a);
  mesh_random random(5);
  secret_key mac_key;
  random.fill(mac_key.span());
  cluster_origin by_secret{list.origin().cluster_id, "files", std::make_shared<const secret_key>(std::move(mac_key))};
  auto entries = list.entries();
  entries.push_back(must(admit_by_secret(by_secret, 9, "b", *b.sign, mesh_time_us)));
  for (auto& entry : entries) {
    auto bytes = encode_member_entry(entry);
    BOOST_TEST(bytes.size() <= member_entry_bytes_max);
    BOOST_TEST((must(decode_member_entry(bytes)) == entry));
    refuses_all_else(bytes, [](byte_view v) { return decode_member_entry(v); }, encode_member_entry);
    for (std::size_t at = 0; at < bytes.size(); ++at) {
      auto changed = bytes;
      changed[at] ^= 1;
      auto read = decode_member_entry(changed);
      BOOST_TEST_REQUIRE((!read || !verify_entry(*read, by_secret)), "byte " << at);
    }
  }
}

BOOST_AUTO_TEST_CASE(the_longest_removal_fits) {
  std::vector<digest> honoured(removal_honours_max);
  mesh_random random(6);
  for (auto& hash : honoured) random.fill(hash);
  auto entry = must(remove_by_member(digest{}, 2, b.id, honoured, *a.sign, mesh_time_us));
  BOOST_TEST((must(decode_member_entry(encode_member_entry(entry))) == entry));
  honoured.push_back(a.id);
  BOOST_TEST((remove_by_member(digest{}, 2, b.id, honoured, *a.sign, 0).error().code == errc::limit_exceeded));
}

BOOST_AUTO_TEST_CASE(membership_messages_read_back_and_nothing_else_does) {
  auto list = founded_by(a);
  admit(list, b, a);
  membership_summary summary{list.origin().cluster_id, 7, list.set_digest(), digest{}};
  membership_inventory inventory{list.origin().cluster_id, list.hashes(), {}, true};
  for (auto* node : {&a, &b}) inventory.statements.push_back({node->id, 3, hash_of(node->statement(3))});
  std::ranges::sort(inventory.statements, {}, &known_statement::id);
  membership_update update{list.origin().cluster_id, list.entries(), {a.statement(), b.statement()}};
  for (membership_message message : {membership_message(summary), membership_message(inventory), membership_message(update)}) {
    auto bytes = encode_membership(message);
    BOOST_TEST((must(decode_membership(bytes)) == message));
    refuses_all_else(bytes, [](byte_view v) { return decode_membership(v); }, encode_membership);
  }
  std::swap(inventory.statements[0], inventory.statements[1]);
  BOOST_TEST(!decode_membership(encode_membership(inventory)).has_value());
  BOOST_TEST((decode_membership(byte_buffer(membership_message_bytes_max + 1)).error().code == errc::limit_exceeded));
}

BOOST_AUTO_TEST_CASE(an_update_is_cut_into_messages_that_fit) {
  std::vector<digest> honoured(removal_honours_max);
  mesh_random random(7);
  std::vector<member_entry> entries;
  for (std::uint64_t serial = 2; serial < 42; ++serial) {
    for (auto& hash : honoured) random.fill(hash);
    entries.push_back(must(remove_by_member(digest{}, serial, b.id, honoured, *a.sign, mesh_time_us)));
  }
  std::vector<node_statement> statements(300, a.statement());
  auto updates = updates_of(digest{}, entries, statements);
  std::vector<member_entry> entries_back;
  std::size_t statements_back = 0;
  for (auto& update : updates) {
    auto bytes = encode_membership(update);
    BOOST_TEST(bytes.size() <= membership_message_bytes_max);
    auto read = std::get<membership_update>(must(decode_membership(bytes)));
    entries_back.insert(entries_back.end(), read.entries.begin(), read.entries.end());
    statements_back += read.statements.size();
  }
  BOOST_TEST((entries_back == entries));
  BOOST_TEST(statements_back == statements.size());
  BOOST_TEST(updates.size() < 8u);
  BOOST_TEST(updates_of(digest{}, {}, {}).empty());
}

BOOST_AUTO_TEST_CASE(join_messages_read_back_and_nothing_else_does) {
  join_request request{digest{1}, b.statement()};
  auto bytes = encode_join_request(request);
  BOOST_TEST(bytes.size() <= join_request_bytes_max);
  BOOST_TEST((must(decode_join_request(bytes)) == request));
  refuses_all_else(bytes, [](byte_view v) { return decode_join_request(v); }, encode_join_request);
  auto list = founded_by(a);
  admit(list, b, a);
  auto encode = [](const join_answer& answer) { return must(encode_join_answer(answer)); };
  for (join_answer answer : {join_answer(join_accepted{list.entries(), {a.statement()}}),
                             join_answer(join_refused{errc::already_exists, "that name is taken"})}) {
    BOOST_TEST((must(decode_join_answer(encode(answer))) == answer));
    refuses_all_else(encode(answer), [](byte_view v) { return decode_join_answer(v); }, encode);
  }
  auto steering = must(decode_join_answer(encode(join_refused{errc::refused, "\x1b[2J" + std::string(1000, 'x')})));
  BOOST_TEST(std::get<join_refused>(steering).what.substr(0, 4) == "?[2J");
  BOOST_TEST(std::get<join_refused>(steering).what.size() == join_refusal_text_bytes_max);
}

BOOST_AUTO_TEST_CASE(statements_that_do_not_fit_into_an_answer_are_left_out) {
  auto list = founded_by(a);
  join_accepted answer{list.entries(), std::vector<node_statement>(cluster_members_max, a.statement())};
  auto bytes = must(encode_join_answer(answer));
  BOOST_TEST(bytes.size() <= join_answer_bytes_max);
  BOOST_TEST(std::get<join_accepted>(must(decode_join_answer(bytes))).statements.size() == cluster_members_max);
}

BOOST_AUTO_TEST_CASE(a_joiner_believes_only_the_list_of_the_cluster_it_was_invited_to) {
  auto list = founded_by(a);
  admit(list, b, a);
  join_accepted answer{list.entries(), {}};
  auto accepted = must(accept_membership(answer, list.origin().cluster_id, a.id, b.id));
  BOOST_TEST((accepted.members() == list.members()));
  auto code = [](auto result) { return result ? errc::internal : result.error().code; };
  BOOST_TEST((code(accept_membership(answer, list.origin().cluster_id, a.id, c.id)) == errc::protocol_violation));
  BOOST_TEST((code(accept_membership(answer, list.origin().cluster_id, c.id, b.id)) == errc::protocol_violation));
  BOOST_TEST((code(accept_membership(answer, digest{9}, a.id, b.id)) == errc::invalid_input));
  answer.entries[1].by[0] ^= 1;
  BOOST_TEST((code(accept_membership(answer, list.origin().cluster_id, a.id, b.id)) == errc::bad_signature));
}

BOOST_AUTO_TEST_CASE(base64url_is_that_of_the_standard_and_strict) {
  BOOST_TEST(to_base64url(byte_buffer{0xfb, 0xff}) == "-_8");
  BOOST_TEST(to_base64url(byte_buffer{}) == "");
  for (std::size_t size = 0; size < 20; ++size) {
    byte_buffer bytes(size, 0xa5);
    BOOST_TEST((must(from_base64url(to_base64url(bytes), 20)) == bytes));
    if (size > 0) BOOST_TEST(!from_base64url(to_base64url(bytes), size - 1).has_value());
  }
  for (auto text : {"-_9", "A", "+/8", "-_8=", "-_ 8"}) BOOST_TEST(!from_base64url(text, 20).has_value(), text);
}

BOOST_AUTO_TEST_CASE(an_invitation_survives_copying_and_tells_typing_errors) {
  invitation_book book;
  mesh_random random(1);
  auto made = must(book.issue(sample_invitation(), 15 * minute_us, mesh_time_us, random));
  auto text = must(invitation_text(made));
  BOOST_TEST_MESSAGE("an invitation with two addresses has " << text.size() << " characters");
  BOOST_TEST(text.size() <= 330u);
  BOOST_TEST(text.starts_with(invitation_prefix));
  BOOST_TEST((must(read_invitation(text)) == made));
  auto wrapped = "  " + text.substr(0, 80) + "\r\n  " + text.substr(80) + "\n";
  BOOST_TEST((must(read_invitation(wrapped)) == made));
  for (std::size_t at = invitation_prefix.size(); at < text.size(); ++at) {
    auto mistyped = text;
    mistyped[at] = mistyped[at] == 'x' ? 'y' : 'x';
    auto read = read_invitation(mistyped);
    BOOST_TEST_REQUIRE((!read && read.error().code == errc::corrupted), "letter " << at);
    BOOST_TEST_REQUIRE(!read_invitation(text.substr(0, at)).has_value(), "first " << at << " letters");
  }
  BOOST_TEST((read_invitation("https://example.org").error().code == errc::invalid_input));
  BOOST_TEST((read_invitation(std::string(5000, 'x')).error().code == errc::limit_exceeded));
  auto none = sample_invitation();
  none.addresses.clear();
  BOOST_TEST(!book.issue(none, 15 * minute_us, mesh_time_us, random).has_value());
}

BOOST_AUTO_TEST_CASE(both_sides_derive_the_same_key_and_no_other) {
  mesh_random random(1);
  invitation_book book;
  auto made = must(book.issue(sample_invitation(), 15 * minute_us, mesh_time_us, random));
  auto read = must(read_invitation(must(invitation_text(made))));
  BOOST_TEST((transport_pair_of(joining_secret(read)).open == joining_key(made)));
  BOOST_TEST((book.allowed_keys(mesh_time_us) == std::vector<transport_key>{joining_key(made)}));
  auto other = read;
  other.token[0] ^= 1;
  BOOST_TEST((joining_key(other) != joining_key(made)));
  other = read;
  other.cluster_id[0] ^= 1;
  BOOST_TEST((joining_key(other) != joining_key(made)));
}

BOOST_AUTO_TEST_CASE(an_invitation_is_used_once_and_expires) {
  mesh_random random(1);
  invitation_book book;
  auto key = joining_key(must(book.issue(sample_invitation(), 15 * minute_us, mesh_time_us, random)));
  auto code = [](auto result) { return result ? errc::internal : result.error().code; };
  BOOST_TEST((code(book.redeem(transport_key{}, b.id, mesh_time_us)) == errc::not_found));
  BOOST_TEST(book.redeem(key, b.id, mesh_time_us + 1).has_value());
  BOOST_TEST(book.redeem(key, b.id, mesh_time_us + 2).has_value()); // Its answer was lost.
  BOOST_TEST((code(book.redeem(key, c.id, mesh_time_us + 2)) == errc::already_exists));
  invitation_book after_restart;
  after_restart.restore(book.records());
  BOOST_TEST((code(after_restart.redeem(key, c.id, mesh_time_us + 2)) == errc::already_exists));
  auto unused = joining_key(must(book.issue(sample_invitation(), 15 * minute_us, mesh_time_us, random)));
  BOOST_TEST(book.find(unused, mesh_time_us + 15 * minute_us - 1) != nullptr);
  BOOST_TEST(book.find(unused, mesh_time_us + 15 * minute_us) == nullptr);
  BOOST_TEST((code(book.redeem(unused, b.id, mesh_time_us + 15 * minute_us)) == errc::timeout));
  BOOST_TEST(book.allowed_keys(mesh_time_us + 15 * minute_us).empty());
  BOOST_TEST(book.expire(mesh_time_us + 15 * minute_us) == 2u);
  BOOST_TEST(book.records().empty());
}

BOOST_AUTO_TEST_CASE(a_used_invitation_is_soon_over) {
  mesh_random random(1);
  invitation_book book;
  auto key = joining_key(must(book.issue(sample_invitation(), 15 * minute_us, mesh_time_us, random)));
  auto late = joining_key(must(book.issue(sample_invitation(), 15 * minute_us, mesh_time_us, random)));
  auto used = mesh_time_us + minute_us, over = used + invitation_book::used_us_max;
  BOOST_TEST(book.redeem(key, b.id, used).has_value());
  BOOST_TEST(book.redeem(key, b.id, over - 1).has_value()); // Asking again does not make it longer.
  BOOST_TEST(book.find(key, over - 1) != nullptr);
  BOOST_TEST(book.find(key, over) == nullptr);
  BOOST_TEST((book.allowed_keys(over) == std::vector<transport_key>{late}));
  // Nor does use.
  BOOST_TEST(book.redeem(late, c.id, mesh_time_us + 14 * minute_us).has_value());
  BOOST_TEST(book.allowed_keys(mesh_time_us + 15 * minute_us).empty());
}

BOOST_AUTO_TEST_CASE(open_invitations_are_listed_and_taken_back) {
  mesh_random random(1);
  invitation_book book;
  auto issue = [&](int minutes) {
    return joining_key(must(book.issue(sample_invitation(), minutes * minute_us, mesh_time_us + minutes, random)));
  };
  auto code = [](auto result) { return result ? errc::internal : result.error().code; };
  auto late = issue(20), used = issue(15), soon = issue(10);
  BOOST_TEST(book.redeem(used, b.id, mesh_time_us).has_value());
  auto open = book.open(mesh_time_us);
  BOOST_REQUIRE(open.size() == 2u);
  BOOST_TEST((open[0].id == to_hex(soon).substr(0, 8) && open[1].id == invitation_id(late)));
  BOOST_TEST((open[0].issued_us == mesh_time_us + 10 && open[0].expires_us >= mesh_time_us + 10 * minute_us));
  BOOST_TEST(book.open(mesh_time_us + 11 * minute_us).size() == 1u);
  BOOST_TEST((code(book.take_back("", mesh_time_us)) == errc::not_found));
  BOOST_TEST((code(book.take_back("00000000", mesh_time_us)) == errc::not_found));
  BOOST_TEST((code(book.take_back(invitation_id(used), mesh_time_us)) == errc::wrong_state));
  BOOST_TEST(must(book.take_back(invitation_id(soon), mesh_time_us)) == 1u);
  BOOST_TEST((code(book.take_back(invitation_id(soon), mesh_time_us)) == errc::not_found));
  BOOST_TEST((code(book.redeem(soon, c.id, mesh_time_us)) == errc::not_found));
  BOOST_TEST(book.find(soon, mesh_time_us) == nullptr);
  issue(5);
  BOOST_TEST(must(book.take_back("all", mesh_time_us)) == 2u);
  BOOST_TEST(must(book.take_back("all", mesh_time_us)) == 0u);
  BOOST_TEST(book.open(mesh_time_us).empty());
  // Whoever has joined may still ask for the answer that was lost.
  BOOST_TEST((book.allowed_keys(mesh_time_us) == std::vector<transport_key>{used}));
}

BOOST_AUTO_TEST_CASE(open_invitations_are_bounded_and_can_all_be_voided) {
  mesh_random random(1);
  invitation_book book;
  std::vector<transport_key> keys;
  for (std::size_t i = 0; i < invitation_book::open_max; ++i)
    keys.push_back(joining_key(must(book.issue(sample_invitation(), 15 * minute_us, mesh_time_us, random))));
  auto code = [](auto result) { return result ? errc::internal : result.error().code; };
  BOOST_TEST((code(book.issue(sample_invitation(), 15 * minute_us, mesh_time_us, random)) == errc::busy));
  BOOST_TEST(book.redeem(keys[0], b.id, mesh_time_us).has_value());
  BOOST_TEST(book.issue(sample_invitation(), 15 * minute_us, mesh_time_us, random).has_value());
  BOOST_TEST((code(book.issue(sample_invitation(), invitation_book::valid_us_min - 1, mesh_time_us, random)) == errc::invalid_input));
  auto too_long = book.issue(sample_invitation(), invitation_book::valid_us_max + 1, mesh_time_us, random);
  BOOST_TEST((code(too_long) == errc::invalid_input));
  for (std::size_t i = 0; i < 2 * invitation_book::used_max; ++i) {
    book.expire(mesh_time_us);
    auto records = book.records();
    auto open = std::ranges::find_if(records, [](auto& r) { return !r.used_by; });
    BOOST_TEST_REQUIRE((open != records.end()));
    BOOST_TEST_REQUIRE(book.redeem(open->key, c.id, mesh_time_us).has_value());
    BOOST_TEST_REQUIRE(book.issue(sample_invitation(), 15 * minute_us, mesh_time_us, random).has_value());
  }
  BOOST_TEST(book.records().size() == invitation_book::open_max + invitation_book::used_max);
  book.void_all();
  BOOST_TEST((code(book.redeem(keys[1], b.id, mesh_time_us)) == errc::not_found));
  BOOST_TEST(book.allowed_keys(mesh_time_us).empty());
}
