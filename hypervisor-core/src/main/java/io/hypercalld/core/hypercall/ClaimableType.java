package io.hypercalld.core.hypercall;

import io.hypercalld.core.domain.Domain;
import io.hypercalld.core.p2m.P2mType;
import java.util.List;
import java.util.Optional;

/**
 * The numbers of the types that servers claim: {@code HVMMEM_ioreq_server} and, where a domain has
 * more than one, those after it. Never instantiated.
 *
 * @see "xen/include/public/hvm/hvm_op.h"
 */
public final class ClaimableType {
  private static final int HVMMEM_IOREQ_SERVER = 4;
  private static final List<P2mType> TYPES = List.copyOf(P2mType.IOREQ);

  private ClaimableType() {}

  /** The type of the number, if the domain has it. */
  public static Optional<P2mType> ofNumber(Domain domain, long number) {
    long index = number - HVMMEM_IOREQ_SERVER;
    return index < 0 || index >= domain.p2m().types().ioreqTypes()
        ? Optional.empty()
        : Optional.of(TYPES.get((int) index));
  }

  static int number(P2mType type) {
    return HVMMEM_IOREQ_SERVER + TYPES.indexOf(type);
  }
}
