// tests/unit/mesh_store_tests.cpp - what a node remembers of its cluster is there after a restart, or told to be damaged.
#define BOOST_TEST_MODULE mesh_store_tests
#include <boost/test/unit_test.hpp>

#include "actors/mesh/mesh_store.hpp"
#include "tests/doubles/temp_folder.hpp"
#include "tests/unit/mesh_fixture.hpp"

using namespace lucid;
using namespace lucid::test;
using lucid::testing::temp_folder;

namespace {

const mesh_node a{"a"}, b{"b"};

} // namespace

BOOST_AUTO_TEST_CASE(everything_is_there_when_it_is_opened_again) {
  temp_folder temp;
  auto file = temp.path() / "mesh.db";
  auto list = founded_by(a);
  admit(list, b, a);
  remove(list, b, a);
  invitation_record open{transport_key{1}, 5, 10, std::nullopt}, used{transport_key{2}, 6, 11, b.id};
  {
    auto store = must(mesh_store::open(file));
    BOOST_TEST(!must(store.cluster()).has_value());
    must(store.begin_cluster({list.origin().cluster_id, mesh_time_us}));
    must(store.put(list.entries(), {a.statement(1), b.statement(4)}, {}));
    must(store.put(list.entries(), {a.statement(2)}, {b.id})); // Entries again: harmless.
    must(store.put_invitations({open}));
    must(store.put_invitations({open, used}));
    must(store.put_lease({"seal", 1, 7}));
    must(store.put_lease({"seal", 0, 3}));
    must(store.put_lease({"seal", 1, 8, {7}}));
  }
  auto check = [&](mesh_store store) {
    BOOST_TEST((must(store.cluster()) == stored_cluster{list.origin().cluster_id, mesh_time_us}));
    member_list read(list.origin());
    BOOST_TEST(read.merge(must(store.entries())).refused.empty());
    BOOST_TEST((read.set_digest() == list.set_digest() && read.members() == list.members()));
    BOOST_TEST((must(store.statements()) == std::vector<node_statement>{a.statement(2)}));
    BOOST_TEST((must(store.invitations()) == std::vector<invitation_record>{open, used}));
    BOOST_TEST((must(store.leases()) == std::vector<stored_lease>{{"seal", 0, 3}, {"seal", 1, 8, {7}}}));
  };
  check(must(mesh_store::open(file)));
  check(must(mesh_store::open_read_only(file)));
  auto reader = must(mesh_store::open_read_only(file));
  BOOST_TEST((reader.put_lease({"seal", 1, 9}).error().code == errc::read_only));
}

BOOST_AUTO_TEST_CASE(the_number_of_a_lease_never_falls) {
  temp_folder temp;
  auto store = must(mesh_store::open(temp.path() / "mesh.db"));
  must(store.put_lease({"seal", 0, 7}));
  must(store.put_lease({"seal", 0, 7}));
  BOOST_TEST((store.put_lease({"seal", 0, 6}).error().code == errc::wrong_state));
  BOOST_TEST(must(store.leases()).at(0).number == 7u);
  BOOST_TEST((store.put_lease({"", 0, 1}).error().code == errc::invalid_input));
  BOOST_TEST((store.put_lease({std::string(33, 'x'), 0, 1}).error().code == errc::invalid_input));
}

BOOST_AUTO_TEST_CASE(another_cluster_begins_with_nothing) {
  temp_folder temp;
  auto store = must(mesh_store::open(temp.path() / "mesh.db"));
  auto list = founded_by(a);
  must(store.begin_cluster({list.origin().cluster_id, 1}));
  must(store.put(list.entries(), {a.statement()}, {}));
  must(store.put_invitations({{transport_key{1}, 5, 10, std::nullopt}}));
  must(store.put_lease({"seal", 0, 7}));
  auto nothing_left = [&] {
    return must(store.entries()).empty() && must(store.statements()).empty() && must(store.invitations()).empty() &&
           must(store.leases()).empty();
  };
  BOOST_TEST(!nothing_left());
  must(store.begin_cluster({digest{2}, 2}));
  BOOST_TEST(nothing_left());
  BOOST_TEST((must(store.cluster())->cluster_id == digest{2}));
  must(store.put(list.entries(), {}, {}));
  must(store.leave_cluster());
  BOOST_TEST(nothing_left());
  BOOST_TEST(!must(store.cluster()).has_value());
}

BOOST_AUTO_TEST_CASE(a_damaged_row_is_told_not_believed) {
  temp_folder temp;
  auto file = temp.path() / "mesh.db";
  auto list = founded_by(a);
  auto damage = [&](const std::string& sql) {
    std::array<std::string_view, 1> none{""};
    must(must(database::open(file, none)).execute(sql));
  };
  auto store = must(mesh_store::open(file));
  must(store.put(list.entries(), {a.statement()}, {}));
  damage("UPDATE entries SET hash = zeroblob(32)");
  BOOST_TEST((store.entries().error().code == errc::corrupted));
  damage("UPDATE entries SET entry = substr(entry, 1, 20)");
  BOOST_TEST((store.entries().error().code == errc::corrupted));
  damage("UPDATE statements SET statement = CAST(substr(statement, 1, 100) || x'ff' || substr(statement, 102) AS BLOB)");
  BOOST_TEST((store.statements().error().code == errc::corrupted));
  damage("INSERT INTO invitations VALUES(zeroblob(31), 1, 2, NULL)");
  BOOST_TEST((store.invitations().error().code == errc::corrupted));
  damage("INSERT INTO leases VALUES('seal', 0, -1, zeroblob(32))");
  BOOST_TEST((store.leases().error().code == errc::corrupted));
}
