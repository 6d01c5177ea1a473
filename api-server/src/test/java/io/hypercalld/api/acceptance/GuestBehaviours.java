package io.hypercalld.api.acceptance;

import static org.assertj.core.api.Assertions.assertThat;

/**
 * A suite about guests of virtual IOMMUs: every row finds no guest, and leaves a consistent host.
 *
 * @param <G> what drives the guest
 */
interface GuestBehaviours<G extends GuestBehaviours.Guest> extends NumberedBehaviours<G> {
  /** What drives a guest. */
  interface Guest extends NumberedBehaviours.Host {
    /** The unit that the guest sees. */
    GuestUnit unit();

    /** Every consistency check. */
    default void check() {
      assertThat(unit().daemon().get("/_sim/invariants").body().get("violations")).isEmpty();
    }

    @Override
    default void close() {
      unit().xen().close();
    }
  }

  /** Rows about the unit itself, and interrupts. */
  interface OfUnit extends GuestBehaviours<GuestUnit> {
    @Override
    default GuestUnit start() {
      return new GuestUnit(XenHost.start());
    }
  }

  /** Rows about requests of devices in legacy mode. */
  interface OfTranslation extends GuestBehaviours<GuestTranslation> {
    @Override
    default GuestTranslation start() {
      return new GuestTranslation(XenHost.start());
    }
  }

  /** Rows about requests of devices in scalable mode. */
  interface OfPasids extends GuestBehaviours<GuestPasids> {
    @Override
    default GuestPasids start() {
      return new GuestPasids();
    }
  }

  @Override
  default void begin(G host) {
    host.unit().begin();
  }

  @Override
  default void end(G host) {
    host.check();
  }
}
