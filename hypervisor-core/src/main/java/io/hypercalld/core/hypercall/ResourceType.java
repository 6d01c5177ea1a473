package io.hypercalld.core.hypercall;

import java.util.Optional;

/**
 * The kinds of pages that the hypervisor makes for a domain and others may map.
 *
 * @see "xen/include/public/memory.h, XENMEM_resource_*"
 */
public enum ResourceType {
  IOREQ_SERVER,
  GRANT_TABLE,
  VMTRACE_BUF;

  private static final ResourceType[] BY_NUMBER = values();

  /** The kind of a number. */
  static Optional<ResourceType> of(long number) {
    return number >= 0 && number < BY_NUMBER.length
        ? Optional.of(BY_NUMBER[(int) number])
        : Optional.empty();
  }
}
