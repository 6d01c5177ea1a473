package io.hypercalld.api.conformance;

/**
 * Every difference between this silicon and a recording that is let pass, each where its effect is
 * exactly the one that its deviation says. Immutable.
 *
 * <p>The numbers are those of the corpus' description. What has none is a register that the
 * specification defines and the recorded implementations do not keep that way: the description
 * names no deviation for it.
 */
enum Freedom {
  /** Bits 119:104 of FRCD are all ones, or in scalable mode PP and RID_PASID are there. */
  FRCD_PASID("D6", "frcd-pasid", "FRCD holds a PASID although the request had none"),

  /** CAIG says global after a domain-selective command. */
  COARSER_CONTEXTS("D8", "coarser-invalidation", "domain-selective is done as global"),

  /** A permission that the entry denies decides before its reserved bits do. */
  PERMISSION_FIRST("D5", "perm-before-reserved", "permission is checked before reserved bits"),

  /** GSTS.CFIS stays clear. */
  NO_COMPATIBILITY_SWITCH("D12", "commands-without-effect", "CFI has no effect"),

  /** Scalable mode of the older implementation, of which the recording has no specification. */
  SCALABLE_REASON("D15", "scalable-reason", "legacy reasons and 0x58 in scalable mode"),
  FIRST_STAGE_AS_SECOND("D15", "scalable-first-as-second", "PGTT 1 and 3 are walked as second"),
  REQUEST_PASID("D15", "scalable-rid-pasid", "RID_PASID is used without ECAP.RPS"),

  SNOOP_IN_SCALABLE_MODE("D9", "scalable-snoop", "SNP is not reserved in scalable mode"),

  DESCRIPTOR_NOT_CHECKED("Q1", "descriptor-not-checked", "a descriptor that is none is accepted"),
  WAIT_WITHOUT_EFFECT("Q1", "wait-without-effect", "a wait for nothing is an error"),
  PASID_DEVICE_TLB("F11", "type-8-accepted", "a device-TLB descriptor is accepted without DT"),
  NO_FETCH_AFTER_ERROR("Q2", "no-fetch-after-error", "nothing is fetched after IQE is cleared"),
  COMMAND_WHILE_QUEUED("Q3", "register-command-while-queued", "ICC and IVT stay set"),
  DISABLE_REFUSED("Q4", "queue-disable-refused", "the queue stays on after anything but a wait"),
  TAIL_KEPT("Q4", "queue-tail-kept", "IQT outlives what resets the queue"),

  QUEUE_WIDTH_LOST("Q2-Q4", "queue-width-lost", "IQA.DW reads as zero on the older one"),

  NO_INTERRUPT_FAULT("I1", "interrupt-fault-not-recorded", "no interrupt fault is recorded"),
  EXTENDED_MODE_KEPT("I4", "eime-without-eim", "IRTA.EIME is kept without ECAP.EIM"),
  INTERRUPT_RANGE_INPUT("D13", "interrupt-range-input", "0xfee reads succeed with zeros"),

  FAULT_ADDRESS_NOT_CLIPPED(
      "unlisted", "fault-address-not-clipped", "FRCD.FI keeps bits beyond MGAW, VT-d §11.4.7.6"),
  QUEUE_ADDRESS_BY_HALVES(
      "unlisted", "queue-address-by-halves", "a 32-bit store to IQA keeps QS only, VT-d §11.2"),
  EVENT_DATA_NOT_MASKED(
      "unlisted", "event-data-not-masked", "IEDATA keeps bits 31:16, VT-d §11.4.7.3"),
  EVENT_ADDRESS_LOST(
      "unlisted", "event-address-lost", "FEUADDR and IEUADDR are absent with EIM, VT-d §11.4.7.5"),
  INTERRUPT_TABLE_KEPT(
      "unlisted", "interrupt-table-kept", "IRTA and IRTPS are kept without IR, VT-d §11.4.8.1");

  private final String number;
  private final String effect;
  private final String meaning;

  Freedom(String number, String effect, String meaning) {
    this.number = number;
    this.effect = effect;
    this.meaning = meaning;
  }

  String effect() {
    return effect;
  }

  /** Number, name and meaning, as a report prints them. */
  String label() {
    return number + " " + effect + " (" + meaning + ")";
  }
}
