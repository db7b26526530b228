// The one place that includes libsodium.
import sodium from 'libsodium-wrappers-sumo';

export type Sodium = typeof sodium;

/** libsodium, once it can be called. */
export async function loadSodium(): Promise<Sodium> {
  await sodium.ready;
  return sodium;
}
