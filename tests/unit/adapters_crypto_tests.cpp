// tests/unit/adapters_crypto_tests.cpp - BLAKE3, zstd and libsodium behind their adapters.
#define BOOST_TEST_MODULE adapters_crypto_tests
#include <boost/test/unit_test.hpp>

#include <fstream>

#include <nlohmann/json.hpp>

#include "adapters/sodium/password.hpp"
#include "adapters/sodium/system_random.hpp"
#include "tests/unit/format_fixture.hpp"

using namespace lucid;
using namespace lucid::test;

static_assert(!std::is_copy_constructible_v<secret_key>, "a secret is copied only by name");

BOOST_AUTO_TEST_CASE(blake3_gives_the_official_vectors) {
  auto vectors = nlohmann::json::parse(std::ifstream(LUCID_VECTORS "/blake3.json"));
  auto context = vectors["context_string"].get<std::string>();
  std::size_t checked = 0;
  for (const auto& c : vectors["cases"]) {
    byte_buffer input(c["input_len"].get<std::size_t>());
    for (std::size_t i = 0; i < input.size(); ++i) input[i] = static_cast<std::uint8_t>(i % 251);
    blake3_hasher plain;
    plain.update(input);
    byte_buffer out(c["hash"].get<std::string>().size() / 2);
    plain.finish_into(out);
    BOOST_TEST(to_hex(out) == c["hash"].get<std::string>());
    blake3_derive_into(context, {byte_view(input).first(input.size() / 3), byte_view(input).subspan(input.size() / 3)}, out);
    BOOST_TEST(to_hex(out) == c["derive_key"].get<std::string>());
    ++checked;
  }
  BOOST_TEST(checked >= 35u);
}

BOOST_AUTO_TEST_CASE(a_reset_hasher_is_a_fresh_one) {
  blake3_hasher hasher("lucid test");
  hasher.update(random_bytes(70'000, 1));
  hasher.reset();
  hasher.update(as_bytes("abc"));
  BOOST_TEST((hasher.finish() == blake3_derive("lucid test", {as_bytes("abc")})));
  BOOST_TEST((hasher.finish() != blake3(as_bytes("abc"))));
}

namespace {

byte_buffer decompressed(byte_view frame, std::size_t size_bytes) {
  byte_buffer out(size_bytes);
  zstd_decompressor decompressor;
  BOOST_TEST_REQUIRE(decompressor.decompress(frame, out).has_value());
  return out;
}

} // namespace

BOOST_AUTO_TEST_CASE(zstd_compresses_into_one_frame_again_and_again) {
  auto whole = dull_bytes(3'000'000);
  zstd_compressor compressor;
  byte_buffer out(whole.size());
  for (int round = 0; round < 2; ++round) {
    auto size = compressor.compress(whole, out, {}).value();
    BOOST_TEST_REQUIRE(size.has_value());
    BOOST_TEST(*size < whole.size() / 20);
    BOOST_TEST((decompressed(byte_view(out).first(*size), whole.size()) == whole));
  }
}

BOOST_AUTO_TEST_CASE(zstd_gives_up_where_nothing_is_saved) {
  zstd_compressor compressor;
  for (std::size_t size_bytes : {0u, 1u, 1000u, 3'000'000u}) {
    auto noise = random_bytes(size_bytes, 7);
    byte_buffer out(size_bytes);
    BOOST_TEST(!compressor.compress(noise, out, {}).value().has_value());
  }
  auto dull = dull_bytes(10'000);
  byte_buffer small(20);
  BOOST_TEST(!compressor.compress(dull, small, {}).value().has_value());
  BOOST_TEST((compressor.compress(dull, small, {.level = 99}).error().code == errc::internal));
}

BOOST_AUTO_TEST_CASE(zstd_refuses_other_sizes_and_a_second_frame) {
  auto dull = dull_bytes(10'000);
  zstd_compressor compressor;
  byte_buffer frame(10'000);
  frame.resize(compressor.compress(dull, frame, {}).value().value());
  zstd_decompressor decompressor;
  byte_buffer less(9'999), more(10'001), right(10'000);
  BOOST_TEST((decompressor.decompress(frame, less).error().code == errc::corrupted));
  BOOST_TEST((decompressor.decompress(frame, more).error().code == errc::corrupted));
  BOOST_TEST(decompressor.decompress(frame, right).has_value());
  BOOST_TEST((decompressor.decompress({}, right).error().code == errc::corrupted));
  auto two = frame;
  two.insert(two.end(), frame.begin(), frame.end());
  byte_buffer both(20'000);
  BOOST_TEST((decompressor.decompress(two, both).error().code == errc::corrupted));
}

BOOST_AUTO_TEST_CASE(what_is_sealed_opens_with_the_same_key_nonce_and_data_only) {
  auto key = key_of(1);
  aead_nonce nonce{};
  auto plain = random_bytes(1000, 3);
  byte_buffer sealed(plain.size() + aead_tag_size_bytes);
  aead_seal(sealed, plain, as_bytes("bound"), nonce, key);
  auto in_place = plain;
  in_place.resize(sealed.size());
  aead_seal(in_place, byte_view(in_place).first(plain.size()), as_bytes("bound"), nonce, key);
  BOOST_TEST((in_place == sealed));
  byte_buffer opened(plain.size());
  BOOST_TEST(aead_open(opened, sealed, as_bytes("bound"), nonce, key));
  BOOST_TEST((opened == plain));
  BOOST_TEST(!aead_open(opened, sealed, as_bytes("other"), nonce, key));
  BOOST_TEST(!aead_open(opened, sealed, as_bytes("bound"), nonce, key_of(2)));
  nonce[0] = 1;
  BOOST_TEST(!aead_open(opened, sealed, as_bytes("bound"), nonce, key));
  BOOST_TEST(!aead_open({}, byte_view(sealed).first(15), {}, nonce, key));
}

BOOST_AUTO_TEST_CASE(signatures_hold_for_their_message_and_key_only) {
  sign_key key(key_of(9));
  auto by = key.sign(as_bytes("said"));
  BOOST_TEST(verify_signature(by, as_bytes("said"), key.public_key()));
  BOOST_TEST(!verify_signature(by, as_bytes("sait"), key.public_key()));
  BOOST_TEST(!verify_signature(by, as_bytes("said"), sign_key(key_of(8)).public_key()));
}

BOOST_AUTO_TEST_CASE(a_sealed_box_opens_for_its_recipient_only) {
  auto secret = key_of(5);
  byte_buffer sealed(4 + box_overhead_size_bytes), opened(4);
  BOOST_TEST(box_seal(sealed, as_bytes("word"), box_public_key_of(secret)).has_value());
  BOOST_TEST(box_open(opened, sealed, secret));
  BOOST_TEST(as_text(opened) == "word");
  BOOST_TEST(!box_open(opened, sealed, key_of(6)));
  BOOST_TEST((box_seal(sealed, as_bytes("word"), box_public_key{}).error().code == errc::invalid_input));
}

BOOST_AUTO_TEST_CASE(a_password_gives_the_same_key_again_and_a_costly_one_is_refused) {
  password_cost cheap{1, 1u << 20};
  auto key = key_from_password("secret", {}, cheap).value();
  BOOST_TEST(equal_constant_time(key.view(), key_from_password("secret", {}, cheap)->view()));
  BOOST_TEST(!equal_constant_time(key.view(), key_from_password("Secret", {}, cheap)->view()));
  BOOST_TEST((key_from_password("x", {}, {17, 1u << 20}).error().code == errc::limit_exceeded));
  BOOST_TEST((key_from_password("x", {}, {1, (1u << 30) + 1}).error().code == errc::limit_exceeded));
  BOOST_TEST((key_from_password("x", {}, {0, 1u << 20}).error().code == errc::limit_exceeded));
}

BOOST_AUTO_TEST_CASE(secrets_move_and_wipe_and_randomness_differs) {
  system_random random;
  auto a = make_session_key(random);
  auto b = a.clone();
  BOOST_TEST(equal_constant_time(a.view(), b.view()));
  random.fill(b.span());
  BOOST_TEST(!equal_constant_time(a.view(), b.view()));
  BOOST_TEST(!equal_constant_time(a.view(), a.view().first(31)));
  auto moved = std::move(b);
  wipe(moved.span());
  BOOST_TEST((to_hex(moved.view()) == std::string(64, '0')));
  std::string text = "secret";
  wipe(text);
  BOOST_TEST(text.empty());
}
