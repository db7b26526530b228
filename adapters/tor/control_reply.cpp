// adapters/tor/control_reply.cpp - reads lines, puts them together, takes words apart.
#include "adapters/tor/control_reply.hpp"

#include <algorithm>
#include <cstring>
#include <utility>

namespace lucid {
namespace {

constexpr const char* who = "tor control";

/// Of `control_reply::text`.
constexpr std::size_t shown_bytes_max = 300;

constexpr bool is_digit(char c) noexcept { return c >= '0' && c <= '9'; }

std::string shown(std::string_view text) {
  std::string clean(text.substr(0, shown_bytes_max));
  for (auto& c : clean)
    if (c < ' ' || c > '~') c = '?';
  return clean;
}

tl::unexpected<error> violation(std::string what) { return fail(errc::protocol_violation, who, std::move(what)); }

/// A line may have been a private key.
void clear(std::string& line) noexcept {
  ::explicit_bzero(line.data(), line.size());
  line.clear();
}

/// Takes a quoted string off the front of `rest`, which begins with the quote.
outcome<std::string> take_quoted(std::string_view& rest) {
  std::string value;
  for (std::size_t at = 1; at < rest.size(); ++at) {
    if (rest[at] == '"') {
      rest.remove_prefix(at + 1);
      return value;
    }
    if (rest[at] != '\\') {
      value.push_back(rest[at]);
      continue;
    }
    if (++at == rest.size()) break;
    // C's escapes. Octal ones have up to three digits.
    switch (rest[at]) {
      case 'n': value.push_back('\n'); break;
      case 't': value.push_back('\t'); break;
      case 'r': value.push_back('\r'); break;
      default:
        if (rest[at] < '0' || rest[at] > '7') {
          value.push_back(rest[at]);
          break;
        }
        unsigned number = 0;
        std::size_t digits = 0;
        for (; digits < 3 && at < rest.size() && rest[at] >= '0' && rest[at] <= '7'; ++digits, ++at)
          number = number * 8 + static_cast<unsigned>(rest[at] - '0');
        --at;
        if (number > 255) return violation("an escape beyond one byte");
        value.push_back(static_cast<char>(number));
    }
  }
  return violation("a quote without its end");
}

/// Takes a value off the front: quoted, or up to the next blank.
outcome<std::string> take_value(std::string_view& rest) {
  if (!rest.empty() && rest.front() == '"') return take_quoted(rest);
  auto end = std::min(rest.find(' '), rest.size());
  std::string value(rest.substr(0, end));
  rest.remove_prefix(end);
  return value;
}

} // namespace

// --- replies -----------------------------------------------------------------------------------------------------

std::optional<std::string> control_reply::value(std::string_view key) const {
  for (auto& line : lines) {
    std::string_view text = line.text;
    if (!text.starts_with(key) || text.size() <= key.size() || text[key.size()] != '=') continue;
    text.remove_prefix(key.size() + 1);
    if (text.empty() && !line.data.empty()) return line.data;
    if (text.empty() || text.front() != '"') return std::string(text);
    auto value = take_quoted(text);
    return value ? std::optional(std::move(*value)) : std::nullopt;
  }
  return std::nullopt;
}

std::string control_reply::text() const {
  return std::to_string(code) + " " + shown(lines.empty() ? std::string_view() : std::string_view(lines.back().text));
}

// --- bytes to replies --------------------------------------------------------------------------------------------

outcome<std::vector<control_reply>> control_reader::feed(std::string_view bytes) {
  if (broken_) return violation("read on after an error");
  broken_ = true; // Until all of it was in order.
  std::vector<control_reply> done;
  while (!bytes.empty()) {
    auto end = bytes.find('\n');
    auto piece = bytes.substr(0, end);
    if (line_.size() + piece.size() > control_line_bytes_max)
      return fail(errc::limit_exceeded, who, "a line of more than " + std::to_string(control_line_bytes_max) + " bytes");
    line_.append(piece);
    if (end == std::string_view::npos) break;
    bytes.remove_prefix(end + 1);
    if (line_.empty() || line_.back() != '\r') return violation("a line that does not end with CR LF");
    auto taken = take_line(std::string_view(line_).substr(0, line_.size() - 1), done);
    clear(line_);
    if (!taken) return pass_on(std::move(taken));
  }
  broken_ = false;
  return done;
}

outcome<void> control_reader::take_line(std::string_view line, std::vector<control_reply>& done) {
  reply_bytes_ += line.size() + 2;
  if (reply_bytes_ > control_reply_bytes_max)
    return fail(errc::limit_exceeded, who, "a reply of more than " + std::to_string(control_reply_bytes_max) + " bytes");
  if (in_data_) {
    take_data_line(line);
    return {};
  }
  return take_reply_line(line, done);
}

void control_reader::take_data_line(std::string_view line) {
  if (line == ".") {
    in_data_ = false;
    return;
  }
  if (line.starts_with('.')) line.remove_prefix(1);
  reply_.lines.back().data.append(line).push_back('\n');
}

outcome<void> control_reader::take_reply_line(std::string_view line, std::vector<control_reply>& done) {
  if (line.size() < 4 || !is_digit(line[0]) || !is_digit(line[1]) || !is_digit(line[2]))
    return violation("a line without a status code: " + shown(line));
  auto code = (line[0] - '0') * 100 + (line[1] - '0') * 10 + (line[2] - '0');
  auto separator = line[3];
  if (code < 200 || code > 699) return violation("status code " + std::to_string(code));
  if (separator != ' ' && separator != '-' && separator != '+')
    return violation("no separator behind the status code: " + shown(line));
  if (line.find_first_of(std::string_view("\0\r", 2)) != std::string_view::npos)
    return violation("a control character in a line");
  if (!reply_.lines.empty() && code != reply_.code)
    return violation("status code " + std::to_string(code) + " within a reply of " + std::to_string(reply_.code));
  if (reply_.lines.size() == control_reply_lines_max)
    return fail(errc::limit_exceeded, who, "a reply of more than " + std::to_string(control_reply_lines_max) + " lines");
  reply_.code = code;
  reply_.lines.push_back({std::string(line.substr(4)), {}});
  in_data_ = separator == '+';
  if (separator == ' ') {
    done.push_back(std::exchange(reply_, {}));
    reply_bytes_ = 0;
  }
  return {};
}

// --- words -------------------------------------------------------------------------------------------------------

outcome<control_words> split_control_words(std::string_view text) {
  control_words split;
  while (!text.empty()) {
    if (text.front() == ' ') {
      text.remove_prefix(1);
      continue;
    }
    auto key_end = text.find_first_of(" =\"");
    if (key_end != std::string_view::npos && key_end > 0 && text[key_end] == '=') {
      std::string key(text.substr(0, key_end));
      text.remove_prefix(key_end + 1);
      auto value = take_value(text);
      if (!value) return pass_on(std::move(value));
      split.values.try_emplace(std::move(key), std::move(*value));
      continue;
    }
    auto word = take_value(text);
    if (!word) return pass_on(std::move(word));
    split.words.push_back(std::move(*word));
  }
  return split;
}

outcome<std::string> quote_control(std::string_view text) {
  std::string quoted = "\"";
  for (auto c : text) {
    if (c == '\0' || c == '\r' || c == '\n') return fail(errc::invalid_input, who, "a line end or NUL in a value for Tor");
    if (c == '"' || c == '\\') quoted.push_back('\\');
    quoted.push_back(c);
  }
  quoted.push_back('"');
  return quoted;
}

} // namespace lucid
