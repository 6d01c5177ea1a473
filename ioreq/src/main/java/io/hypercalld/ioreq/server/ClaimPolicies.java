package io.hypercalld.ioreq.server;

import io.hypercalld.core.digest.Digestible;
import io.hypercalld.core.digest.StateDigest;
import io.hypercalld.core.errno.Errno;
import io.hypercalld.core.errno.Refusal;
import java.util.Locale;

/**
 * What a domain makes of pages of the type that servers claim. Immutable.
 *
 * @param unclaimed what becomes of pages of the type while no server has it
 * @param access which accesses a claim takes from memory
 * @param update when entries follow a claim, and its release
 * @param destroyed what becomes of the pages of a server that is destroyed
 * @param types how many such types there are, each for one server: 1 to 4
 * @param generation whose defects there are
 */
public record ClaimPolicies(
    Unclaimed unclaimed,
    ClaimAccess access,
    ClaimUpdate update,
    Destroyed destroyed,
    int types,
    Generation generation)
    implements Digestible {
  /** What Xen ships. */
  public static final ClaimPolicies SHIPPED =
      new ClaimPolicies(Unclaimed.REFUSE, ClaimAccess.WRITE, ClaimUpdate.LAZY, Destroyed.LEAVE, 1);

  /** Most types that there can be. */
  public static final int MOST_TYPES = 4;

  /**
   * Refuses numbers of types that there are not.
   *
   * @throws Refusal EINVAL
   */
  public ClaimPolicies {
    requireTypes(types);
  }

  /**
   * Refuses numbers of types that there are not.
   *
   * @throws Refusal EINVAL
   */
  public static void requireTypes(int types) {
    if (types < 1 || types > MOST_TYPES) {
      throw Refusal.of(
          Errno.EINVAL, "there are 1 to %d types for servers, not %d", MOST_TYPES, types);
    }
  }

  /** Pages of the type that no server has. */
  public enum Unclaimed {
    /** There are none: pages become plain RAM with the claim's end, and cannot be of it before. */
    REFUSE,
    /** They are RAM, as the design document has it. */
    RAM,
    /** Writes to them are dropped, as its reviewer proposed. */
    DISCARD;

    @Override
    public String toString() {
      return name().toLowerCase(Locale.ROOT);
    }
  }

  /** Which of Xen's versions it is. */
  public enum Generation {
    TODAY("today"),
    /** The hypervisor's copies to the guest write pages whatever a server claimed. */
    PRE_2018("pre-2018"),
    /** As first merged: a release leaves the entries as they are, too. */
    APRIL_2017("2017-04");

    private final String text;

    Generation(String text) {
      this.text = text;
    }

    @Override
    public String toString() {
      return text;
    }
  }

  /** What a claim takes from memory. */
  public enum ClaimAccess {
    /** Writes. */
    WRITE,
    /** Reads as well. */
    ALL;

    @Override
    public String toString() {
      return name().toLowerCase(Locale.ROOT);
    }
  }

  /** When entries follow. */
  public enum ClaimUpdate {
    /** When they are touched: the root's entries are marked. */
    LAZY,
    /** At once: every entry is looked at. */
    EAGER,
    /** At once: those of the type are known. */
    INDEXED,
    /** Never: they permit no writes from the moment they are of the type. */
    PROTECT_AT_TAG;

    @Override
    public String toString() {
      return name().toLowerCase(Locale.ROOT).replace('_', '-');
    }
  }

  /** The pages of a server that is destroyed. */
  public enum Destroyed {
    /** They stay as they are, and guests that write to them try for ever. */
    LEAVE,
    /** As if the claim had been released before. */
    RELEASE;

    @Override
    public String toString() {
      return name().toLowerCase(Locale.ROOT);
    }
  }

  /** Whether pages of the type permit nothing that a claim would take, claimed or not. */
  boolean alwaysProtects() {
    return update == ClaimUpdate.PROTECT_AT_TAG || unclaimed == Unclaimed.DISCARD;
  }

  /** In today's Xen. */
  public ClaimPolicies(
      Unclaimed unclaimed, ClaimAccess access, ClaimUpdate update, Destroyed destroyed, int types) {
    this(unclaimed, access, update, destroyed, types, Generation.TODAY);
  }

  /** Whether pages stay as they are when their claim is released. */
  boolean forgetsPages() {
    return generation == Generation.APRIL_2017;
  }

  /** Whether the hypervisor's copies pay no attention to claims. */
  boolean isBypassed() {
    return generation != Generation.TODAY;
  }

  /** Whether it is to be known which pages are of a type. */
  boolean usesIndex() {
    return update == ClaimUpdate.INDEXED || update == ClaimUpdate.PROTECT_AT_TAG;
  }

  @Override
  public void digest(StateDigest digest) {
    digest
        .put(unclaimed.name())
        .put(access.name())
        .put(update.name())
        .put(destroyed.name())
        .put(types)
        .put(generation.name());
  }
}
