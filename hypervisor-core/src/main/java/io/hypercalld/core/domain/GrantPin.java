package io.hypercalld.core.domain;

import io.hypercalld.core.digest.Digestible;
import io.hypercalld.core.digest.StateDigest;
import io.hypercalld.core.memory.Mfn;

/**
 * How a grant is in use. Immutable.
 *
 * @param mapper who may use it as long as anybody does
 * @param mfn the frame that it was when it was first used, whatever the entry says since
 * @param readers mappings to be read
 * @param writers mappings to be written
 * @see "xen/common/grant_table.c, struct active_grant_entry"
 */
record GrantPin(DomainId mapper, Mfn mfn, int readers, int writers) implements Digestible {
  /** Mappings of one kind that there may be. */
  private static final int MOST = 0xff;

  static final GrantPin NONE = new GrantPin(DomainId.INVALID, Mfn.INVALID, 0, 0);

  boolean isFree() {
    return readers + writers == 0;
  }

  /** Whether no more mappings of a kind can be counted. */
  boolean isFull(boolean readonly) {
    return (readonly ? readers : writers) == MOST;
  }

  /** With a mapping more, or less where the number is negative. */
  GrantPin with(boolean readonly, int more) {
    return new GrantPin(
        mapper, mfn, readers + (readonly ? more : 0), writers + (readonly ? 0 : more));
  }

  @Override
  public void digest(StateDigest digest) {
    digest.put(mapper.value()).put(mfn.value()).put(readers).put(writers);
  }
}
