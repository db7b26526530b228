// actors/node/cli/command_cluster.cpp - `lucid cluster init|invite|join|members|remove|status` and `lucid keys rotate`.
#include <chrono>
#include <iostream>
#include <memory>

#include <fmt/format.h>

#include "actors/mesh/invitation.hpp"
#include "actors/mesh/mesh_address.hpp"
#include "actors/node/cli/acting.hpp"
#include "actors/node/cli/cluster_text.hpp"
#include "actors/node/cli/commands.hpp"
#include "actors/node/cli/json.hpp"
#include "actors/node/session_text.hpp"
#include "adapters/qrencode/qr_code.hpp"
#include "runtime/config/quantity.hpp"
#include "runtime/log/text.hpp"

namespace lucid {
namespace {

using namespace std::chrono_literals;

constexpr auto valid_default = 15min;
constexpr auto valid_min = std::chrono::milliseconds(std::chrono::seconds(invitation_seconds_min));
constexpr auto valid_max = std::chrono::milliseconds(std::chrono::seconds(invitation_seconds_max));

unix_time_us now_us() {
  return std::chrono::duration_cast<std::chrono::microseconds>(std::chrono::system_clock::now().time_since_epoch()).count();
}

/// What the node answers, and what that means.
struct cluster_answer {
  json text;
  cluster_view view;
};

outcome<cluster_answer> answer_of(const node_client& client) {
  auto answer = client.cluster();
  if (!answer) return pass_on(std::move(answer));
  auto view = read_cluster_view(*answer);
  if (!view) return pass_on(std::move(view));
  return cluster_answer{json(*answer), std::move(*view)};
}

outcome<cluster_answer> answer_of(command_context& context) {
  auto client = node_of(context);
  if (!client) return pass_on(std::move(client));
  return answer_of(*client);
}

error stands_alone() {
  return {errc::wrong_state, "lucid",
          "this node is in no cluster; `lucid cluster init NAME` makes one, `lucid cluster join INVITATION` joins one", nullptr};
}

/// The view of a node that is in a cluster.
outcome<cluster_view> cluster_of(const node_client& client) {
  auto answer = answer_of(client);
  if (!answer) return pass_on(std::move(answer));
  if (answer->view.name.empty()) return tl::unexpected(stands_alone());
  return std::move(answer->view);
}

std::string own_name(const cluster_view& cluster) {
  for (auto& member : cluster.members)
    if (member.state == member_state::self) return member.name;
  return short_node_id(cluster.self);
}

std::size_t member_count(const cluster_view& cluster, std::initializer_list<member_state> states) {
  std::size_t count = 0;
  for (auto& member : cluster.members)
    for (auto state : states) count += member.state == state;
  return count;
}

std::size_t present_count(const cluster_view& cluster) {
  return member_count(cluster, {member_state::self, member_state::up, member_state::down});
}

command_result init(command_context& context, const std::string& name) {
  if (!is_node_name(name))
    return fail(errc::invalid_input, "lucid",
                fmt::format("\"{}\" cannot name a cluster: a name has 1 to {} of a-z, 0-9 and '-', with no '-' at its ends",
                            printable(name), node_name_bytes_max));
  auto client = node_of(context);
  if (!client) return pass_on(std::move(client));
  auto made = client->found_cluster(name);
  if (!made) return pass_on(std::move(made));
  if (context.options.json) {
    print_json(context.out, json(*made));
    return exit_code::ok;
  }
  auto cluster = cluster_of(*client);
  if (!cluster) return pass_on(std::move(cluster));
  context.out << fmt::format("Cluster {} is formed; this node, {}, is its first member.\n", cluster->name, own_name(*cluster));
  if (!context.options.quiet) context.err << "`lucid cluster invite` asks another node in.\n";
  return exit_code::ok;
}

struct invite_options {
  std::string valid;
  std::string qr; ///< "none", "blocks" or "ascii"; empty: blocks on a terminal.
  bool light_background = false;
};

outcome<std::uint64_t> valid_seconds(const std::string& written) {
  auto valid = written.empty() ? outcome<std::chrono::milliseconds>(valid_default) : parse_duration(written, 1s);
  if (!valid) return pass_on(std::move(valid));
  if (*valid < valid_min || *valid > valid_max)
    return fail(errc::invalid_input, "lucid",
                fmt::format("an invitation is valid for {} s to {} d; --valid {} is outside of that", invitation_seconds_min,
                            valid_max / 24h, printable(written)));
  return static_cast<std::uint64_t>(std::chrono::duration_cast<std::chrono::seconds>(*valid).count());
}

outcome<void> print_qr(command_context& context, const std::string& text, const invite_options& options) {
  auto wish = !options.qr.empty() ? options.qr : is_terminal(standard_output) ? "blocks" : "none";
  if (wish == "none") return {};
  auto code = qr_code::of(text);
  if (!code) return pass_on(std::move(code));
  auto style = wish == "ascii" ? qr_style::ascii : qr_style::half_blocks;
  for (auto& line : qr_lines(*code, style, options.light_background)) context.out << line << '\n';
  return {};
}

command_result invite(command_context& context, const invite_options& options) {
  auto seconds = valid_seconds(options.valid);
  if (!seconds) return pass_on(std::move(seconds));
  auto client = node_of(context);
  if (!client) return pass_on(std::move(client));
  auto answer = client->invite(*seconds);
  if (!answer) return pass_on(std::move(answer));
  auto text = answer->value("invitation", std::string());
  auto made = read_invitation(text);
  if (!made) return fail(errc::protocol_violation, "control", "the node answered with no invitation", std::move(made).error());
  if (context.options.json) {
    print_json(context.out, json(*answer));
    return exit_code::ok;
  }
  if (auto shown = print_qr(context, text, options); !shown) return pass_on(std::move(shown));
  context.out << text << '\n';
  if (!context.options.quiet) {
    std::string addresses;
    for (auto& address : made->addresses) addresses.append(addresses.empty() ? "" : ", ").append(address);
    context.err << fmt::format("On the node that joins: lucid cluster join INVITATION\n"
                               "It is for one node, until {}, which must reach {}.\n"
                               "Who has it can join: pass it on as you would a password.\n"
                               "`lucid cluster uninvite {}` takes it back.\n",
                               time_text(made->expires_us), addresses, printable(answer->value("id", std::string())));
  }
  return exit_code::ok;
}

/// "-": from standard input, so that it stands in no list of processes.
outcome<std::string> invitation_from(const std::string& written) {
  if (written != "-") return written;
  std::string text(2 * invitation_text_bytes_max + 1, '\0');
  std::cin.read(text.data(), static_cast<std::streamsize>(text.size()));
  text.resize(static_cast<std::size_t>(std::cin.gcount()));
  if (text.empty()) return fail(errc::invalid_input, "lucid", "there is no invitation on standard input");
  return text;
}

command_result join(command_context& context, const std::string& written) {
  auto text = invitation_from(written);
  if (!text) return pass_on(std::move(text));
  auto what = read_invitation(*text); // Typing errors are told before anything is sent.
  if (!what) return pass_on(std::move(what));
  auto clean = invitation_text(*what);
  if (!clean) return pass_on(std::move(clean));
  auto client = node_of(context);
  if (!client) return pass_on(std::move(client));
  if (!context.options.quiet) {
    if (what->expires_us <= now_us()) // The clock of the node that made it counts, which may be another.
      context.err << fmt::format("By this machine's clock the invitation expired at {}; it is tried all the same.\n",
                                 time_text(what->expires_us));
    context.err << fmt::format("joining by {} ...\n", what->addresses.front());
  }
  auto joined = client->join_cluster(*clean);
  wipe(*clean);
  if (!joined) return pass_on(std::move(joined));
  if (context.options.json) {
    print_json(context.out, json(*joined));
    return exit_code::ok;
  }
  auto cluster = cluster_of(*client);
  if (!cluster) return pass_on(std::move(cluster));
  context.out << fmt::format("This node, {}, is a member of cluster {} now, one of {}.\n", own_name(*cluster), cluster->name,
                             present_count(*cluster));
  return exit_code::ok;
}

command_result members(command_context& context) {
  auto answer = answer_of(context);
  if (!answer) return pass_on(std::move(answer));
  auto* cluster = &answer->view;
  if (context.options.json) {
    print_json(context.out, {{"members", answer->text["members"]}});
    return exit_code::ok;
  }
  if (cluster->name.empty()) return tl::unexpected(stands_alone());
  members_table(*cluster, now_us()).print(context.out);
  return exit_code::ok;
}

command_result remove(command_context& context, const std::string& written, bool yes) {
  auto client = node_of(context);
  if (!client) return pass_on(std::move(client));
  auto cluster = cluster_of(*client);
  if (!cluster) return pass_on(std::move(cluster));
  auto member = find_member(*cluster, written);
  if (!member) return pass_on(std::move(member));
  bool leaves = member->state == member_state::self;
  auto wish = leaves ? fmt::format("leave cluster {}", cluster->name)
                     : fmt::format("remove {} ({}) from cluster {}", member->name, short_node_id(member->id), cluster->name);
  if (!yes || !context.options.quiet)
    context.err << fmt::format("{}: {} is cut off within seconds, its open invitations are void, and its roles move to others. "
                               "Recordings that it holds stay on its disk.\n",
                               wish, leaves ? "this node" : "it");
  if (!yes)
    if (auto agreed = confirm(context, wish); !agreed) return pass_on(std::move(agreed));
  auto done = client->remove_member(to_hex(member->id));
  if (!done) return pass_on(std::move(done));
  if (context.options.json) {
    print_json(context.out, json(*done));
    return exit_code::ok;
  }
  if (leaves) context.out << fmt::format("This node has left cluster {}.\n", cluster->name);
  else context.out << fmt::format("{} is no member of cluster {} any more.\n", member->name, cluster->name);
  return exit_code::ok;
}

command_result show_status(command_context& context) {
  auto answer = answer_of(context);
  if (!answer) return pass_on(std::move(answer));
  auto* cluster = &answer->view;
  if (context.options.json) {
    print_json(context.out, answer->text);
    return exit_code::ok;
  }
  if (cluster->name.empty()) {
    context.out << fmt::format("This node, {}, is in no cluster.\n", short_node_id(cluster->self));
    return exit_code::ok;
  }
  auto down = member_count(*cluster, {member_state::down});
  auto& out = context.out;
  out << fmt::format("cluster   {}\nid        {}\nthis node {} ({})\n", printable(cluster->name), to_hex(cluster->cluster_id),
                     printable(own_name(*cluster)), short_node_id(cluster->self));
  out << fmt::format("members   {}, {} not heard from\nlist      version {}\n", present_count(*cluster), down,
                     cluster->list_version);
  if (!cluster->leases.empty()) {
    out << '\n';
    leases_table(*cluster).print(out);
  }
  return exit_code::ok;
}

command_result rotate(command_context& context, bool onion) {
  auto client = node_of(context);
  if (!client) return pass_on(std::move(client));
  auto done = client->rotate_keys(onion);
  if (!done) return pass_on(std::move(done));
  if (context.options.json) {
    print_json(context.out, json(*done));
    return exit_code::ok;
  }
  context.out << printable(done->value("text", std::string("new transport key"))) << '\n';
  if (!context.options.quiet)
    context.err << "The other members are told; the old key is kept until none of them needs it. The node's id and its signing "
                   "key stay.\n";
  return exit_code::ok;
}

} // namespace

command_spec cluster_init_command() {
  return {.name = "cluster init",
          .summary = "Form a cluster with the running node as its first member.",
          .details = "mesh.listen must say where other nodes reach this one. NAME is for people; the cluster's id follows from "
                     "the founder's key.",
          .examples = {{"lucid cluster init home", "then `lucid cluster invite`, once for each node to come"}},
          .hidden = false,
          .declare = [](command_options& app) -> command_action {
            auto name = std::make_shared<std::string>();
            app.add_option("NAME", *name, "Name of the cluster: a-z, 0-9 and '-'").required().type_name("");
            return [name](command_context& context) { return init(context, *name); };
          }};
}

command_spec cluster_invite_command() {
  return {.name = "cluster invite",
          .summary = "Print an invitation for one node, as text and as a QR code.",
          .details = "It holds address and key of this node and a token that lets one node in, once. On a terminal the QR code "
                     "stands above the text; it is about 75 columns wide.",
          .examples = {{"lucid cluster invite", "valid for 15 minutes"},
                       {"lucid cluster invite --valid '2 h' > invitation", "the text alone, for a script"},
                       {"lucid cluster invite --qr ascii", "for terminals without block characters"}},
          .hidden = false,
          .declare = [](command_options& app) -> command_action {
            auto o = std::make_shared<invite_options>();
            auto valid_help = fmt::format("How long it may be used: {} s to {} d (default: 15 min)", invitation_seconds_min,
                                          valid_max / 24h);
            app.add_option("--valid", o->valid, valid_help).type_name("TIME");
            app.add_option("--qr", o->qr, "QR code: none, blocks or ascii (default: blocks on a terminal)")
              .type_name("STYLE").one_of({"none", "blocks", "ascii"});
            app.add_flag("--light", o->light_background, "For a terminal that writes dark on light");
            return [o](command_context& context) { return invite(context, *o); };
          }};
}

command_spec cluster_join_command() {
  return {.name = "cluster join",
          .summary = "Make the running node a member of the cluster that invited it.",
          .details = "INVITATION is the text that `lucid cluster invite` printed on a member; \"-\" reads it from standard "
                     "input, so that it does not show up among the processes. Line breaks within do no harm.",
          .examples = {{"lucid cluster join lucid-join:AbCd...", "as it was copied"},
                       {"lucid cluster join - < invitation", "from a file"}},
          .hidden = false,
          .declare = [](command_options& app) -> command_action {
            auto text = std::make_shared<std::string>();
            app.add_option("INVITATION", *text, "Invitation, or \"-\"").required().type_name("");
            return [text](command_context& context) { return join(context, *text); };
          }};
}

command_spec cluster_members_command() {
  return {.name = "cluster members",
          .summary = "List the cluster's members as this node sees them.",
          .details = "up: heard from within mesh.peer_timeout. down: on the list, and not heard from.",
          .examples = {{"lucid cluster members", "names, states, round trips, addresses"}},
          .hidden = false,
          .declare = [](command_options&) -> command_action { return members; }};
}

command_spec cluster_remove_command() {
  return {.name = "cluster remove",
          .summary = "Remove a member from the cluster; this node's own name: leave it.",
          .details = "The other members cut it off within seconds. Nodes that it had admitted stay. It can come back by a new "
                     "invitation. Says first what it does, and asks. MEMBER is a name, or the beginning of an id.",
          .examples = {{"lucid cluster remove pi-3", "asks first"}, {"lucid cluster remove a1b2c3 --yes", "without being asked"}},
          .hidden = false,
          .declare = [](command_options& app) -> command_action {
            auto name = std::make_shared<std::string>();
            app.add_option("MEMBER", *name, "Name, or beginning of the id").required().type_name("");
            auto yes = add_yes_option(app);
            return [name, yes](command_context& context) { return remove(context, *name, *yes); };
          }};
}

command_spec cluster_status_command() {
  return {.name = "cluster status",
          .summary = "Show the cluster, and which node runs which role.",
          .details = {},
          .examples = {{"lucid cluster status --json", "all of it, for a script"}},
          .hidden = false,
          .declare = [](command_options&) -> command_action { return show_status; }};
}

command_spec keys_rotate_command() {
  return {.name = "keys rotate",
          .summary = "Give the running node a new transport key.",
          .details = "The key that it connects to other nodes with. Its identity, and the keys that sign and open recordings, "
                     "stay; the members of the cluster learn of the new key by a signed statement.",
          .examples = {{"lucid keys rotate", "now and then, or when the old one may be known to others"},
                       {"lucid keys rotate --onion", "a new onion address as well; scripts/rotate_onion_keys.sh tells more"}},
          .hidden = false,
          .declare = [](command_options& app) -> command_action {
            auto onion = std::make_shared<bool>(false);
            app.add_flag("--onion", *onion, "Also move the onion service to a new address; the old one is served ten minutes more");
            return [onion](command_context& context) { return rotate(context, *onion); };
          }};
}

} // namespace lucid
