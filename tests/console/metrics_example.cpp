// tests/console/metrics_example.cpp - prints /metrics of a node of which everything is known, for monitoring_test.mjs.
#include <iostream>

#include "actors/console/metrics_core.hpp"

using namespace lucid;

int main() {
  node_measures node;
  node.version = "0.1.0";
  node.started_us = 1'700'000'000'000'000;
  node.running = {100, 60, 1};
  node.ledger_height = 7;
  node.ledger_entries = 9;
  node.machine.emplace();
  node.machine->temperature_c = 55;
  node.machine->throttled_now = false;
  node.machine->throttle_count = 0;
  node.machine->network = {{"eth0", 10, 20}};
  node.cluster.emplace();
  node.replication.emplace().copies = 2;
  std::vector<inspection> actors;
  for (auto path : {"root", "storage/store", "sessions/ab12/seal"}) {
    actors.emplace_back();
    actors.back().path = path;
    actors.back().present = true;
  }
  metrics_core core;
  core.take_actors(actors);
  std::cout << metrics_text(core.families(node));
}
