// adapters/tor/onion_keys.cpp - key files: read with suspicion, written atomically.
#include "adapters/tor/onion_keys.hpp"

#include <array>
#include <cerrno>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <sodium.h>

#include "adapters/tor/posix.hpp"

namespace lucid {
namespace {

namespace fs = std::filesystem;
using tor_posix::failure;
using tor_posix::file_descriptor;

constexpr const char* service_file = "onion_service.secret";
constexpr const char* client_file = "onion_client.secret";
constexpr std::string_view service_prefix = "ED25519-V3:";
constexpr std::string_view client_prefix = "x25519:";

/// "ED25519-V3:" and 88 characters; more is no key of ours.
constexpr std::size_t key_file_bytes_max = 256;

constexpr std::size_t service_key_bytes = 64; ///< Expanded secret key, control-spec's ED25519-V3.

void prepare_sodium() {
  // Only a missing system random source makes it fail, and no key may be made without one.
  static const int ready = sodium_init();
  if (ready < 0) std::abort();
}

/// N bytes that are wiped at their end.
template <std::size_t N>
struct wiped {
  std::array<std::uint8_t, N> bytes{};
  ~wiped() { sodium_memzero(bytes.data(), N); }
};

/// Exactly N bytes out of `base64`.
template <std::size_t N>
bool decode_base64(std::string_view base64, std::array<std::uint8_t, N>& into) {
  std::size_t size_bytes = 0;
  const char* end = nullptr;
  return sodium_base642bin(into.data(), N, base64.data(), base64.size(), nullptr, &size_bytes, &end,
                           sodium_base64_VARIANT_ORIGINAL) == 0 &&
         size_bytes == N && end == base64.data() + base64.size();
}

outcome<void> sync_folder(const fs::path& folder) {
  file_descriptor opened(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (opened.get() < 0 || ::fsync(opened.get()) != 0) return failure("cannot sync " + folder.string(), errno);
  return {};
}

outcome<void> write_all(int fd, std::string_view bytes, const fs::path& file) {
  while (!bytes.empty()) {
    auto written = ::write(fd, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return failure("cannot write " + file.string(), errno);
    bytes.remove_prefix(static_cast<std::size_t>(written));
  }
  return {};
}

outcome<void> write_secret(const fs::path& file, const tor_secret_text& secret) {
  auto part = file;
  part += ".part";
  ::unlink(part.c_str()); // What a crash left.
  file_descriptor opened(::open(part.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600));
  if (opened.get() < 0) return failure("cannot create " + part.string(), errno);
  for (auto text : {secret.reveal(), std::string_view("\n")})
    if (auto written = write_all(opened.get(), text, part); !written) return written;
  if (::fsync(opened.get()) != 0) return failure("cannot sync " + part.string(), errno);
  if (::rename(part.c_str(), file.c_str()) != 0) return failure("cannot rename " + part.string(), errno);
  return sync_folder(file.parent_path());
}

/// The first line of `file`; none if there is no file.
outcome<std::optional<tor_secret_text>> read_secret(const fs::path& file) {
  file_descriptor opened(::open(file.c_str(), O_RDONLY | O_NOFOLLOW | O_CLOEXEC));
  if (opened.get() < 0 && errno == ENOENT) return std::nullopt;
  if (opened.get() < 0) return failure("cannot open " + file.string(), errno);
  struct stat about{};
  if (::fstat(opened.get(), &about) != 0) return failure("cannot look at " + file.string(), errno);
  if ((about.st_mode & 077) != 0)
    return fail(errc::permission_denied, tor_posix::who, "others may read " + file.string() + "; its mode must be 0600");
  std::string bytes(key_file_bytes_max + 1, '\0');
  auto got = ::read(opened.get(), bytes.data(), bytes.size());
  auto code = errno;
  tor_secret_text whole(std::move(bytes));
  if (got < 0) return failure("cannot read " + file.string(), code);
  auto line = whole.reveal().substr(0, static_cast<std::size_t>(got));
  if (line.size() > key_file_bytes_max || !line.ends_with('\n'))
    return fail(errc::corrupted, tor_posix::who, file.string() + " is no key file");
  line.remove_suffix(1);
  return tor_secret_text(std::string(line));
}

outcome<onion_client_key> client_key_of(const tor_secret_text& text, const fs::path& file) {
  wiped<crypto_scalarmult_SCALARBYTES> secret;
  if (!text.reveal().starts_with(client_prefix) || !decode_base64(text.reveal().substr(client_prefix.size()), secret.bytes))
    return fail(errc::corrupted, tor_posix::who, file.string() + " holds no x25519 key");
  onion_client_key key;
  if (crypto_scalarmult_base(key.public_key.data(), secret.bytes.data()) != 0)
    return fail(errc::corrupted, tor_posix::who, file.string() + " holds no usable x25519 key");
  key.secret = tor_secret_text(std::string(text.reveal().substr(client_prefix.size())));
  return key;
}

tor_secret_text new_client_text() {
  wiped<crypto_scalarmult_SCALARBYTES> secret;
  randombytes_buf(secret.bytes.data(), secret.bytes.size());
  wiped<sodium_base64_ENCODED_LEN(crypto_scalarmult_SCALARBYTES, sodium_base64_VARIANT_ORIGINAL)> base64;
  auto* text = reinterpret_cast<char*>(base64.bytes.data());
  sodium_bin2base64(text, base64.bytes.size(), secret.bytes.data(), secret.bytes.size(), sodium_base64_VARIANT_ORIGINAL);
  std::string whole;
  whole.reserve(client_prefix.size() + base64.bytes.size()); // So that no part of it is left behind by growing.
  whole.append(client_prefix).append(text);
  return tor_secret_text(std::move(whole));
}

} // namespace

outcome<onion_keys> onion_keys::open(fs::path folder) {
  prepare_sodium();
  if (auto made = tor_posix::make_private_folder(folder); !made) return pass_on(std::move(made));
  return onion_keys(std::move(folder));
}

outcome<std::optional<tor_secret_text>> onion_keys::service() const {
  auto file = folder_ / service_file;
  auto text = read_secret(file);
  if (text && *text && !is_onion_key((*text)->reveal()))
    return fail(errc::corrupted, tor_posix::who, file.string() + " holds no key of an onion service");
  return text;
}

outcome<void> onion_keys::keep_service(const tor_secret_text& key) const {
  if (!is_onion_key(key.reveal())) return fail(errc::invalid_input, tor_posix::who, "not a key of an onion service");
  return write_secret(folder_ / service_file, key);
}

outcome<onion_client_key> onion_keys::client() const {
  auto file = folder_ / client_file;
  auto kept = read_secret(file);
  if (!kept) return pass_on(std::move(kept));
  if (*kept) return client_key_of(**kept, file);
  auto made = new_client_text();
  if (auto written = write_secret(file, made); !written) return pass_on(std::move(written));
  return client_key_of(made, file);
}

std::string base32(const box_public_key& key) {
  constexpr std::string_view letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
  std::string text;
  std::uint32_t bits = 0;
  unsigned count = 0;
  for (auto byte : key) {
    bits = bits << 8 | byte;
    for (count += 8; count >= 5; count -= 5) text.push_back(letters[bits >> (count - 5) & 31]);
  }
  if (count > 0) text.push_back(letters[bits << (5 - count) & 31]);
  return text;
}

bool is_onion_key(std::string_view text) {
  wiped<service_key_bytes> key;
  return text.starts_with(service_prefix) && decode_base64(text.substr(service_prefix.size()), key.bytes);
}

} // namespace lucid
