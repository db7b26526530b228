// tests/unit/member_list_tests.cpp - who is a member follows from the set of entries, in whatever order it came.
#define BOOST_TEST_MODULE member_list_tests
#include <boost/test/unit_test.hpp>

#include <algorithm>

#include "tests/unit/mesh_fixture.hpp"

using namespace lucid;
using namespace lucid::test;

namespace {

std::string names_of(const member_list& list) {
  std::vector<std::string> names;
  for (auto& member : list.members()) names.push_back(member.name);
  std::ranges::sort(names);
  std::string all;
  for (auto& name : names) all += (all.empty() ? "" : " ") + name;
  return all;
}

member_list list_of(const cluster_origin& origin, const std::vector<member_entry>& entries) {
  member_list list(origin);
  auto merged = list.merge(entries);
  if (!merged.refused.empty()) throw std::runtime_error(to_string(merged.refused.front()));
  return list;
}

member_entry admission(const member_list& list, std::uint64_t serial, const mesh_node& subject, const mesh_node& by) {
  auto key = subject.sign->public_key();
  return must(admit_by_member(list.origin().cluster_id, serial, key, subject.name, *by.sign, mesh_time_us));
}
member_entry removal(const member_list& list, std::uint64_t serial, const mesh_node& subject, const mesh_node& by,
                     std::vector<digest> honoured = {}) {
  return must(remove_by_member(list.origin().cluster_id, serial, subject.id, std::move(honoured), *by.sign, mesh_time_us));
}

void put(member_list& list, const member_entry& entry) { BOOST_TEST_REQUIRE(list.merge({&entry, 1}).refused.empty()); }

const mesh_node a{"a"}, b{"b"}, c{"c"}, d{"d"}, e{"e"}, stranger{"stranger"};

bool same(const member_list& x, const member_list& y) {
  return x.members() == y.members() && x.removed() == y.removed() && x.set_digest() == y.set_digest() &&
         x.version() == y.version() && x.encode() == y.encode();
}

} // namespace

BOOST_AUTO_TEST_CASE(members_admit_and_remove_each_other) {
  auto list = founded_by(a);
  BOOST_TEST(list.cluster_name() == "home");
  BOOST_TEST(list.version() == 1u);
  admit(list, b, a);
  admit(list, c, b);
  BOOST_TEST(names_of(list) == "a b c");
  BOOST_TEST((list.find_name("c")->admitted_by == b.id));
  BOOST_TEST(list.version() == 3u);
  remove(list, b, c); // Any member, also one that the removed one admitted.
  BOOST_TEST(names_of(list) == "a c");
  BOOST_TEST(list.removed().size() == 1u);
  BOOST_TEST((list.removed()[0].id == b.id && list.removed()[0].removed_by == c.id && list.removed()[0].name == "b"));
  admit(list, b, a);
  BOOST_TEST(names_of(list) == "a b c");
  BOOST_TEST(list.removed().empty());
  remove(list, a, a); // A node may leave; even the founder.
  BOOST_TEST(names_of(list) == "b c");
  BOOST_TEST(list.cluster_name() == "home");
}

BOOST_AUTO_TEST_CASE(wishes_that_make_no_sense_are_refused_with_a_reason) {
  auto list = founded_by(a);
  admit(list, b, a);
  auto code = [](auto result) { return result ? errc::internal : result.error().code; };
  auto key = [](const mesh_node& n) { return n.sign->public_key(); };
  BOOST_TEST((code(list.admission(key(c), "c", *stranger.sign, 0)) == errc::permission_denied));
  BOOST_TEST((code(list.admission(key(b), "other", *a.sign, 0)) == errc::already_exists));
  BOOST_TEST((code(list.admission(key(c), "b", *a.sign, 0)) == errc::already_exists));
  BOOST_TEST((code(list.admission(key(c), "No Name", *a.sign, 0)) == errc::invalid_input));
  BOOST_TEST((code(list.removal(c.id, *a.sign, 0)) == errc::not_found));
  BOOST_TEST((code(list.removal(a.id, *stranger.sign, 0)) == errc::permission_denied));
  BOOST_TEST(names_of(list) == "a b");
}

BOOST_AUTO_TEST_CASE(forged_foreign_and_altered_entries_are_refused) {
  auto list = founded_by(a);
  auto good = must(list.admission(b.sign->public_key(), "b", *a.sign, mesh_time_us));
  auto refused = [&](member_entry entry, errc code) {
    auto before = list.set_digest();
    auto merged = list.merge({&entry, 1});
    BOOST_TEST_REQUIRE(merged.refused.size() == 1u);
    BOOST_TEST((merged.refused[0].code == code), to_string(merged.refused[0]));
    BOOST_TEST((list.set_digest() == before));
  };
  auto altered = good;
  altered.name = "mallory";
  refused(altered, errc::bad_signature);
  altered = good;
  altered.serial += 1;
  refused(altered, errc::bad_signature);
  altered = good;
  altered.author = stranger.sign->public_key();
  refused(altered, errc::bad_signature);
  altered = good;
  altered.subject = c.id;
  refused(altered, errc::invalid_input);
  altered = good;
  altered.by[3] ^= 1;
  refused(altered, errc::bad_signature);
  altered = good;
  altered.cluster_id[0] ^= 1;
  refused(altered, errc::invalid_input);
  refused(must(found_cluster("home", "b", *b.sign, mesh_time_us)), errc::invalid_input); // Another cluster of that name.
  auto usurper = must(found_cluster("home", "b", *b.sign, mesh_time_us));
  usurper.cluster_id = list.origin().cluster_id;
  refused(usurper, errc::invalid_input);
  put(list, good);
  BOOST_TEST(names_of(list) == "a b");
}

BOOST_AUTO_TEST_CASE(an_admission_by_a_node_that_is_no_member_has_no_effect) {
  auto list = founded_by(a);
  put(list, admission(list, 2, c, stranger));
  BOOST_TEST(names_of(list) == "a");
  put(list, admission(list, 1, stranger, stranger));
  BOOST_TEST(names_of(list) == "a");
  put(list, removal(list, 5, a, stranger));
  BOOST_TEST(names_of(list) == "a");
}

BOOST_AUTO_TEST_CASE(an_entry_counts_as_soon_as_what_it_rests_on_is_there) {
  auto list = founded_by(a);
  auto first = admission(list, 2, b, a), second = admission(list, 3, c, b);
  put(list, second);
  BOOST_TEST(names_of(list) == "a");
  put(list, first);
  BOOST_TEST(names_of(list) == "a b c");
}

BOOST_AUTO_TEST_CASE(a_removal_keeps_what_it_honours_and_undoes_the_rest) {
  auto list = founded_by(a);
  admit(list, b, a);
  admit(list, c, b);
  auto elsewhere = list; // Where b admits d meanwhile, unseen here.
  admit(elsewhere, d, b);
  remove(list, b, a);
  BOOST_TEST(names_of(list) == "a c");
  auto both = list_of(list.origin(), list.entries());
  both.merge(elsewhere.entries());
  BOOST_TEST(names_of(both) == "a c"); // d was admitted by one who is gone: it has to be asked in again.
  admit(both, d, a);
  BOOST_TEST(names_of(both) == "a c d");
}

BOOST_AUTO_TEST_CASE(a_removed_member_cannot_bring_back_itself_or_others_even_with_an_old_number) {
  auto list = founded_by(a);
  admit(list, b, a);
  admit(list, c, b);
  remove(list, b, a); // Number 4.
  for (std::uint64_t serial = 1; serial < 8; ++serial) {
    put(list, admission(list, serial, b, b));
    put(list, admission(list, serial, d, b));
    put(list, admission(list, serial, d, d));
    BOOST_TEST(names_of(list) == "a c", "number " << serial);
  }
  // Nor may it rename one that it had admitted.
  put(list, must(admit_by_member(list.origin().cluster_id, 2, c.sign->public_key(), "evil", *b.sign, mesh_time_us)));
  BOOST_TEST(names_of(list) == "a c");
}

BOOST_AUTO_TEST_CASE(who_an_ex_member_let_in_unseen_decided_nothing) {
  auto list = founded_by(a);
  admit(list, b, a);
  admit(list, c, a);
  remove(list, b, a); // 4
  put(list, admission(list, 2, d, b)); // Behind its time, so that d was a member at 3 ...
  put(list, removal(list, 3, c, d));   // ... and removed c.
  BOOST_TEST(names_of(list) == "a c");
}

BOOST_AUTO_TEST_CASE(a_removal_wins_over_an_admission_with_the_same_number) {
  auto list = founded_by(a);
  admit(list, b, a);
  admit(list, c, a);
  put(list, removal(list, 4, c, b));
  put(list, admission(list, 4, c, a));
  BOOST_TEST(names_of(list) == "a b");
}

BOOST_AUTO_TEST_CASE(of_mutual_removals_the_first_holds) {
  auto list = founded_by(a);
  admit(list, b, a);
  admit(list, c, a);
  auto early = removal(list, 4, c, b), late = removal(list, 5, b, c);
  auto one = list, other = list;
  put(one, early);
  put(one, late);
  put(other, late);
  BOOST_TEST(names_of(other) == "a c");
  put(other, early);
  BOOST_TEST(names_of(one) == "a b");
  BOOST_TEST(same(one, other));
}

BOOST_AUTO_TEST_CASE(a_removal_that_undoes_how_its_author_came_in_has_no_effect) {
  auto list = founded_by(a);
  admit(list, b, a);
  auto own = admit(list, c, b);
  put(list, removal(list, 4, b, c)); // c honours nobody, not even itself.
  BOOST_TEST(names_of(list) == "a b c");
  put(list, removal(list, 4, b, c, {hash_of(own)}));
  BOOST_TEST(names_of(list) == "a c");
}

BOOST_AUTO_TEST_CASE(what_fell_with_a_removal_that_fell_itself_counts_again) {
  auto list = founded_by(a);
  auto of_b = admit(list, b, a), of_c = admit(list, c, a);
  admit(list, d, b);
  put(list, removal(list, 5, e, c));                 // Nothing: e is no member.
  put(list, removal(list, 6, a, d));                 // d removes a and honours nobody: neither b nor c ...
  BOOST_TEST(names_of(list) == "a b c d");           // ... nor its own way in, so it falls.
  put(list, removal(list, 7, c, d));
  BOOST_TEST(names_of(list) == "a b d");
  put(list, removal(list, 8, b, a));                 // Undoes d, and with it the removal of c.
  BOOST_TEST(names_of(list) == "a c");
}

BOOST_AUTO_TEST_CASE(of_equal_names_the_later_is_refused) {
  auto list = founded_by(a);
  admit(list, b, a);
  mesh_node twin{"c", 7};
  put(list, admission(list, 4, twin, b));
  BOOST_TEST((list.find_name("c")->id == twin.id));
  put(list, admission(list, 3, c, a));
  BOOST_TEST((list.find_name("c")->id == c.id)); // Earlier in order, though it came later.
  BOOST_TEST(!list.is_member(twin.id));
  BOOST_TEST_REQUIRE(list.unlisted().size() == 1u);
  BOOST_TEST((list.unlisted()[0].id == twin.id));
  BOOST_TEST((list.admission(twin.sign->public_key(), "d", *a.sign, 0).error().code == errc::already_exists));
  remove(list, twin, a);
  mesh_node renamed{"d"};
  renamed.sign = twin.sign;
  admit(list, renamed, a);
  BOOST_TEST((list.find_name("d")->id == twin.id));
  BOOST_TEST(names_of(list) == "a b c d");
}

BOOST_AUTO_TEST_CASE(an_ex_member_cannot_take_the_name_that_its_removal_rests_on) {
  auto list = founded_by(a);
  admit(list, b, a);
  admit(list, c, a);
  admit(list, d, c);
  remove(list, b, d);
  mesh_node thief{"c", 3};
  put(list, admission(list, 2, thief, b)); // Before c came in, whose right d has from it.
  BOOST_TEST(names_of(list) == "a c d");
  BOOST_TEST((list.find_name("c")->id == c.id));
}

BOOST_AUTO_TEST_CASE(there_is_room_for_so_many_members) {
  auto list = founded_by(a);
  admit(list, b, a);
  std::vector<member_entry> many;
  for (std::size_t i = 0; i < cluster_members_max; ++i) {
    mesh_node one(std::string("x").append(std::to_string(i)));
    many.push_back(admission(list, 3 + i, one, i % 2 ? a : b));
  }
  BOOST_TEST(list.merge(many).refused.empty());
  BOOST_TEST(list.members().size() == cluster_members_max);
  BOOST_TEST(list.unlisted().size() == 2u);
  BOOST_TEST((list.admission(c.sign->public_key(), "c", *a.sign, 0).error().code == errc::limit_exceeded));
}

BOOST_AUTO_TEST_CASE(a_cluster_by_secret_admits_who_knows_it_but_not_who_was_removed) {
  auto secret = must(derive_cluster_secret("correct horse", "files"));
  auto again = must(derive_cluster_secret("correct horse", "files"));
  BOOST_TEST((secret.origin.cluster_id == again.origin.cluster_id));
  BOOST_TEST((must(derive_cluster_secret("correct horse", "other")).origin.cluster_id != secret.origin.cluster_id));
  auto wrong = must(derive_cluster_secret("wrong horse", "files"));
  BOOST_TEST((wrong.origin.cluster_id != secret.origin.cluster_id));
  auto key_of = [](const cluster_secret& of, auto name) { return transport_pair_of(transport_secret_of(of, name)).open; };
  BOOST_TEST((key_of(secret, "a") == key_of(again, "a")));
  BOOST_TEST((key_of(secret, "a") != key_of(secret, "b")));
  BOOST_TEST((derive_cluster_secret("", "files").error().code == errc::invalid_input));

  member_list list(secret.origin);
  for (auto* node : {&a, &b, &c}) add(list, admit_by_secret(secret.origin, 1, node->name, *node->sign, mesh_time_us));
  BOOST_TEST(names_of(list) == "a b c");
  BOOST_TEST(list.cluster_name() == "files");

  auto forged_origin = wrong.origin;
  forged_origin.cluster_id = secret.origin.cluster_id;
  auto forged = must(admit_by_secret(forged_origin, 1, "d", *d.sign, mesh_time_us));
  BOOST_TEST((list.merge({&forged, 1}).refused.at(0).code == errc::permission_denied));
  member_list without(cluster_origin{secret.origin.cluster_id, {}, nullptr});
  auto sound = must(admit_by_secret(secret.origin, 1, "d", *d.sign, mesh_time_us));
  BOOST_TEST((without.merge({&sound, 1}).refused.at(0).code == errc::permission_denied));

  remove(list, b, a);
  for (std::uint64_t serial = 1; serial < 6; ++serial) {
    put(list, must(admit_by_secret(secret.origin, serial, "b", *b.sign, mesh_time_us + 1)));
    BOOST_TEST(names_of(list) == "a c");
  }
  admit(list, b, c); // By a member it may come back.
  BOOST_TEST(names_of(list) == "a b c");
}

BOOST_AUTO_TEST_CASE(the_list_reads_back_and_nothing_else_does) {
  auto list = founded_by(a);
  admit(list, b, a);
  admit(list, c, b);
  remove(list, b, a);
  auto bytes = list.encode();
  auto read = must(member_list::decode(bytes, list.origin()));
  BOOST_TEST(same(read, list));
  for (std::size_t size = 0; size < bytes.size(); ++size)
    BOOST_TEST_REQUIRE(!member_list::decode(byte_view(bytes).first(size), list.origin()), "first " << size << " bytes");
  for (std::size_t at = 0; at < bytes.size(); ++at) {
    auto changed = bytes;
    changed[at] ^= 1;
    BOOST_TEST_REQUIRE(!member_list::decode(changed, list.origin()), "byte " << at);
  }
  auto longer = bytes;
  longer.push_back(0);
  BOOST_TEST(!member_list::decode(longer, list.origin()));
  auto elsewhere = list.origin();
  elsewhere.cluster_id[0] ^= 1;
  BOOST_TEST(!member_list::decode(bytes, elsewhere));
}

BOOST_AUTO_TEST_CASE(admissions_cannot_crowd_out_a_removal) {
  auto list = founded_by(a);
  admit(list, b, a);
  std::vector<member_entry> flood;
  for (std::uint64_t i = 0; i < cluster_entries_max; ++i) flood.push_back(admission(list, 3 + i, b, b));
  auto merged = list.merge(flood);
  BOOST_TEST(list.entry_count() == cluster_entries_max);
  BOOST_TEST_REQUIRE(merged.refused.size() == 2u); // The founder and b took their places before.
  BOOST_TEST((merged.refused[0].code == errc::limit_exceeded));
  BOOST_TEST((list.admission(c.sign->public_key(), "c", *a.sign, mesh_time_us).error().code == errc::limit_exceeded));
  remove(list, b, a);
  BOOST_TEST(names_of(list) == "a");
}

BOOST_AUTO_TEST_CASE(numbers_above_the_bound_are_refused) {
  auto list = founded_by(a);
  auto last = admission(list, mesh_serial_max, b, a);
  put(list, last);
  auto beyond = admit_by_member(list.origin().cluster_id, mesh_serial_max + 1, c.sign->public_key(), "c", *a.sign, 0);
  BOOST_TEST((beyond.error().code == errc::limit_exceeded));
  BOOST_TEST((list.admission(c.sign->public_key(), "c", *a.sign, 0).error().code == errc::limit_exceeded));
}

// What follows is random, from seeds that a failure names.

namespace {

/// Entries of all sorts, by members and strangers, with numbers that repeat and go backwards.
std::vector<member_entry> random_history(mesh_random& random, const std::vector<mesh_node>& nodes, const member_list& founded) {
  auto entries = founded.entries();
  std::vector<digest> admissions;
  auto count = 5 + random.below(25);
  for (std::size_t i = 0; i < count; ++i) {
    auto& author = nodes[random.below(nodes.size())];
    auto& subject = nodes[random.below(nodes.size())];
    auto serial = random.chance(70) ? 2 + i : 1 + random.below(i + 2);
    if (random.chance(65)) {
      entries.push_back(admission(founded, serial, subject, author));
      admissions.push_back(hash_of(entries.back()));
      continue;
    }
    std::vector<digest> honoured;
    for (auto& hash : admissions)
      if (random.chance(40)) honoured.push_back(hash);
    entries.push_back(removal(founded, serial, subject, author, honoured));
  }
  return entries;
}

std::vector<mesh_node> some_nodes() {
  std::vector<mesh_node> nodes;
  for (auto name : {"n0", "n1", "n2", "n3", "n4", "n5"}) nodes.emplace_back(name);
  nodes.emplace_back("n1", 9); // A name that another one has.
  return nodes;
}

} // namespace

BOOST_AUTO_TEST_CASE(merging_is_commutative_associative_and_idempotent) {
  auto nodes = some_nodes();
  auto founded = founded_by(nodes[0]);
  for (std::uint64_t seed = 1; seed <= 400; ++seed) {
    BOOST_TEST_CONTEXT("seed " << seed) {
      mesh_random random(seed);
      auto entries = random_history(random, nodes, founded);
      auto whole = list_of(founded.origin(), entries);
      // One at a time, in another order, some of them twice.
      auto shuffled = entries;
      std::ranges::shuffle(shuffled, random.engine);
      member_list step(founded.origin());
      for (auto& entry : shuffled) {
        BOOST_TEST_REQUIRE(step.merge({&entry, 1}).refused.empty());
        if (random.chance(20)) BOOST_TEST_REQUIRE(step.merge({&entry, 1}).added.empty());
      }
      BOOST_TEST_REQUIRE(same(step, whole));
      // (x + y) + z and x + (z + y), of overlapping parts.
      std::vector<member_entry> parts[3];
      for (auto& entry : entries)
        for (auto& part : parts)
          if (random.chance(50) || &part == &parts[2]) part.push_back(entry);
      auto left = list_of(founded.origin(), parts[0]);
      left.merge(list_of(founded.origin(), parts[1]).entries());
      left.merge(parts[2]);
      auto right = list_of(founded.origin(), parts[2]);
      right.merge(parts[1]);
      auto outer = list_of(founded.origin(), parts[0]);
      outer.merge(right.entries());
      BOOST_TEST_REQUIRE(same(left, outer));
      BOOST_TEST_REQUIRE(same(left, whole));
      BOOST_TEST_REQUIRE(outer.merge(entries).added.empty());
      BOOST_TEST_REQUIRE(same(must(member_list::decode(whole.encode(), whole.origin())), whole));
    }
  }
}

BOOST_AUTO_TEST_CASE(members_have_names_of_their_own_and_came_in_by_members) {
  auto nodes = some_nodes();
  auto founded = founded_by(nodes[0]);
  for (std::uint64_t seed = 1000; seed <= 1400; ++seed) {
    BOOST_TEST_CONTEXT("seed " << seed) {
      mesh_random random(seed);
      auto list = list_of(founded.origin(), random_history(random, nodes, founded));
      std::vector<std::string> names;
      for (auto& member : list.members()) {
        names.push_back(member.name);
        auto* entry = list.entry(member.admission);
        BOOST_TEST_REQUIRE((entry && entry->kind == entry_kind::admit && entry->subject == member.id));
        BOOST_TEST_REQUIRE((node_id_of(member.sign_key) == member.id));
        for (auto& gone : list.removed()) BOOST_TEST_REQUIRE((gone.id != member.id));
      }
      std::ranges::sort(names);
      BOOST_TEST_REQUIRE((std::ranges::adjacent_find(names) == names.end()));
    }
  }
}

BOOST_AUTO_TEST_CASE(whatever_an_ex_member_admits_afterwards_changes_nothing) {
  auto nodes = some_nodes();
  nodes.pop_back();
  for (std::uint64_t seed = 2000; seed <= 2300; ++seed) {
    BOOST_TEST_CONTEXT("seed " << seed) {
      mesh_random random(seed);
      auto list = founded_by(nodes[0]);
      // All but the last come in by random members, then a random one is removed by a random other.
      for (std::size_t i = 1; i + 1 < nodes.size(); ++i) admit(list, nodes[i], nodes[random.below(i)]);
      auto gone = random.below(nodes.size() - 1);
      auto by = (gone + 1 + random.below(nodes.size() - 2)) % (nodes.size() - 1);
      auto members_before = names_of(list);
      remove(list, nodes[gone], nodes[by]);
      auto members = list.members();
      BOOST_TEST_REQUIRE(members.size() == nodes.size() - 2);
      for (std::size_t i = 0; i < 12; ++i) {
        mesh_node puppet(std::string("p").append(std::to_string(random.below(4))), seed);
        auto serial = 1 + random.below(list.version() + 3);
        auto& author = random.chance(70) ? nodes[gone] : puppet;
        auto& subject = random.chance(40) ? nodes[gone] : random.chance(50) ? puppet : nodes[random.below(nodes.size())];
        put(list, must(admit_by_member(list.origin().cluster_id, serial, subject.sign->public_key(),
                                       random.chance(50) ? subject.name : nodes[random.below(nodes.size())].name, *author.sign,
                                       mesh_time_us)));
        BOOST_TEST_REQUIRE((list.members() == members), members_before << " became " << names_of(list));
      }
    }
  }
}
