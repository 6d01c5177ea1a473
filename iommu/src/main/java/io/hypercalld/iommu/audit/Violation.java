package io.hypercalld.iommu.audit;

/**
 * Something that should never be the case. Immutable.
 *
 * @param invariant which rule is broken, {@code I1} to {@code I9}
 * @param detail one sentence with values
 */
public record Violation(String invariant, String detail) {
  @Override
  public String toString() {
    return invariant + ": " + detail;
  }
}
