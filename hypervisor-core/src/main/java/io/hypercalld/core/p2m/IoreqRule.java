package io.hypercalld.core.p2m;

import io.hypercalld.core.digest.Digestible;
import io.hypercalld.core.digest.StateDigest;

/**
 * What pages of a type of {@link P2mType#IOREQ} are at the moment. Immutable.
 *
 * @param kept whether there may be any; those that there are otherwise turn into plain RAM when
 *     they are next recalculated
 * @param takesReads whether guests cannot read them by themselves
 * @param takesWrites whether guests cannot write them by themselves
 * @param bypassed whether the hypervisor's copies write them all the same, as Xen's did until 2018
 */
public record IoreqRule(boolean kept, boolean takesReads, boolean takesWrites, boolean bypassed)
    implements Digestible {
  /** No server has the type. */
  public static final IoreqRule UNCLAIMED = new IoreqRule(false, false, false);

  /** Where the hypervisor leaves the pages alone as well. */
  public IoreqRule(boolean kept, boolean takesReads, boolean takesWrites) {
    this(kept, takesReads, takesWrites, false);
  }

  @Override
  public void digest(StateDigest digest) {
    digest.put(kept).put(takesReads).put(takesWrites).put(bypassed);
  }
}
