package io.hypercalld.core.interrupt;

import io.hypercalld.core.digest.Digestible;
import io.hypercalld.core.digest.StateDigest;
import io.hypercalld.core.errno.Errno;
import io.hypercalld.core.errno.Refusal;
import java.util.Optional;

/**
 * Whether a domain is told that its messages may have destinations of 15 bits: it is where its
 * policy offers them and every device model knows them. Confined to the machine thread.
 *
 * <p>A guest learns of it once, so that it is settled when the domain is first let run. From then
 * on nobody who does not know them may join where they are in force.
 *
 * @see "spec/documents.md S1-D16"
 */
public final class ExtendedDestinations implements Digestible {
  private final boolean offered;
  private int holdouts;
  private Optional<Boolean> settled = Optional.empty();

  ExtendedDestinations(boolean offered) {
    this.offered = offered;
  }

  /** Whether the domain's policy wants them. */
  public boolean isOffered() {
    return offered;
  }

  /** {@code XEN_HVM_CPUID_EXT_DEST_ID}: whether the guest is told, and so whether they work. */
  public boolean inForce() {
    return settled.orElse(offered && holdouts == 0);
  }

  /** How destinations are to be read. */
  public DestinationFormat format() {
    return inForce() ? DestinationFormat.EXTENDED : DestinationFormat.PLAIN;
  }

  /** Device models that do not know them. */
  public int holdouts() {
    return holdouts;
  }

  /**
   * Refuses a device model that {@link #join} would.
   *
   * @throws Refusal EINVAL
   */
  public void requireJoinable(boolean knowsThem) {
    if (!knowsThem && settled.orElse(false)) {
      throw Refusal.of(
          Errno.EINVAL, "the guest uses extended destinations, which the server does not know");
    }
  }

  /**
   * A device model comes.
   *
   * @throws Refusal EINVAL it does not know them, and the guest was told of them
   */
  public void join(boolean knowsThem) {
    requireJoinable(knowsThem);
    holdouts += knowsThem ? 0 : 1;
  }

  /** A device model goes. */
  public void leave(boolean knewThem) {
    holdouts -= knewThem ? 0 : 1;
  }

  void settle() {
    settled = Optional.of(inForce());
  }

  @Override
  public void digest(StateDigest digest) {
    digest.section("extended-destinations").put(offered).put(holdouts);
    digest.put(settled.isPresent()).put(inForce());
  }
}
