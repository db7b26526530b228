// tests/doubles/scripted_node.hpp - a node that is none: answers on a control socket what the test has written down.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "adapters/http/http_server.hpp"
#include "tests/doubles/must.hpp"
#include "tests/doubles/temp_folder.hpp"

namespace lucid::testing {

/// Owns: its folder and socket. Threads: `answer` before it is asked; `asked` at any time.
class scripted_node {
public:
  scripted_node() {
    http_doors doors;
    doors.socket = socket();
    server_ = must(http_server::listen(doors, {}, {[this](http_request request) { reply(std::move(request)); }}));
  }

  std::filesystem::path socket() const { return folder_.path() / "control.socket"; }

  /// `request` is "GET /v1/node"; one that is not written down is answered with 404.
  void answer(const std::string& request, std::string body, unsigned status = 200) {
    std::lock_guard guard(mutex_);
    answers_[request] = {status, "application/json", std::move(body)};
  }

  /// "POST /v1/node/drain {...}", in the order in which they came.
  std::vector<std::string> asked() const {
    std::lock_guard guard(mutex_);
    return asked_;
  }

  /// Called on the server's thread when a request has come, before it is answered.
  std::function<void(const std::string& request)> on_request;

private:
  void reply(http_request request) {
    auto name = request.method + " " + request.target;
    if (on_request) on_request(name);
    http_response response{404, "application/json", R"({"error":{"code":"not_found","who":"api","what":"not in the script"}})"};
    {
      std::lock_guard guard(mutex_);
      asked_.push_back(request.body.empty() ? name : name + " " + request.body);
      if (auto found = answers_.find(name); found != answers_.end()) response = found->second;
    }
    server_->reply(request.id, std::move(response));
  }

  temp_folder folder_;
  mutable std::mutex mutex_;
  std::map<std::string, http_response> answers_;
  std::vector<std::string> asked_;
  std::unique_ptr<http_server> server_; // Destroyed first: its thread uses what is above.
};

} // namespace lucid::testing
