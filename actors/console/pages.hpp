// actors/console/pages.hpp - the console's pages, as they lie in the program.
#pragma once

#include <span>
#include <string_view>

#include "adapters/http/http_message.hpp"

namespace lucid {

/// One file of the pages. All views are of the program's own read-only data.
struct page_file {
  std::string_view path;         ///< "/" or "/assets/<name>".
  std::string_view content_type;
  std::string_view body;
  std::string_view gzip_body = {}; ///< The same, compressed; empty where that saves nothing.
  bool immutable = false;        ///< Its name carries a hash of its content: it may be cached for good.
};

/// The pages the program was built with, by path. Without Node.js that is one, which says so.
/// Threads: any.
std::span<const page_file> page_files() noexcept;

/// The file of a path without its query; null if there is none. Threads: any.
const page_file* find_page(std::string_view path) noexcept;

/// Whether an Accept-Encoding header takes gzip (RFC 9110, 12.5.3).
bool accepts_gzip(std::string_view accept_encoding) noexcept;

/// The answer that carries `file`, compressed where the client takes that. `security_headers` go beside it.
http_response page_response(const page_file& file, std::string_view accept_encoding);

} // namespace lucid
