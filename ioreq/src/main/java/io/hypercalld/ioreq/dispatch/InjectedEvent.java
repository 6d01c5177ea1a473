package io.hypercalld.ioreq.dispatch;

import io.hypercalld.core.digest.Digestible;
import io.hypercalld.core.digest.StateDigest;

/**
 * What a device model wants a vCPU to take before its next instruction. Immutable.
 *
 * @param type {@code XEN_DMOP_EVENT_*}
 * @param errorCode 0xffffffff for none
 */
public record InjectedEvent(long vector, long type, long errorCode, long cr2)
    implements Digestible {
  @Override
  public void digest(StateDigest digest) {
    digest.put(vector).put(type).put(errorCode).put(cr2);
  }
}
