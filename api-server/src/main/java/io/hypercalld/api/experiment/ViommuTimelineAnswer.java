package io.hypercalld.api.experiment;

import java.util.List;

/** A device's context entry, moment by moment. Immutable. */
public record ViommuTimelineAnswer(List<Moment> moments) implements Findings {
  /**
   * One moment.
   *
   * @param after what had just happened
   * @param context what the entry in the machine's unit points at
   * @param virtualAddress where a read of 0x1000 ends, which the guest's tables map: a machine
   *     address, or why it does not
   * @param physicalAddress the same of 0x800000, where the guest has memory
   */
  public record Moment(
      String after, ContextView context, String virtualAddress, String physicalAddress) {}

  @Override
  public String toText() {
    TextTable table = new TextTable("after", "mode", "context entry", "0x1000", "0x800000");
    for (Moment moment : moments) {
      table.add(
          moment.after,
          moment.context.mode().orElse("-"),
          moment.context.words(),
          moment.virtualAddress,
          moment.physicalAddress);
    }
    return table.toString();
  }
}
