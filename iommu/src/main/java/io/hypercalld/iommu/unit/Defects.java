package io.hypercalld.iommu.unit;

/**
 * What a unit does wrong, as emulated ones have. Immutable.
 *
 * @param admitsIndexOfSize an interrupt request whose index equals the number of the table's
 *     entries passes as if there were one more (spec/documents.md S1-D9)
 * @param trustsRequesters the source-id of an interrupt request is not compared with the entry's
 * @param onlyRemapsInterrupts it knows no command, register or descriptor of requests to memory,
 *     which every unit of hardware does (S1-D7, S1-D12)
 */
public record Defects(
    boolean admitsIndexOfSize, boolean trustsRequesters, boolean onlyRemapsInterrupts) {
  /** None. */
  public static final Defects NONE = new Defects(false, false, false);
}
