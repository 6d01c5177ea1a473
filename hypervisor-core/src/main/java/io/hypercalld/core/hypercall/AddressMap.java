package io.hypercalld.core.hypercall;

import io.hypercalld.core.domain.E820Entry;
import java.util.List;

/** What the two queries for a map of addresses return. Immutable. */
public record AddressMap(long nrEntries, List<E820Entry> buffer) {
  static AddressMap of(List<E820Entry> entries) {
    return new AddressMap(entries.size(), List.copyOf(entries));
  }
}
