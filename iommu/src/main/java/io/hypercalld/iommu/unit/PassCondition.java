package io.hypercalld.iommu.unit;

import io.hypercalld.iommu.vtd.FaultReason;
import java.util.List;
import java.util.Optional;

/** Says what would have to be different for a blocked request to pass. Stateless. */
final class PassCondition {
  private PassCondition() {}

  /**
   * The condition in words.
   *
   * @param steps of the request, the last blocked one being the cause
   */
  static String of(FaultReason reason, List<ExplainStep> steps) {
    Optional<ExplainStep> cause =
        steps.stream().filter(ExplainStep::isBlocked).reduce((_, last) -> last);
    return cause.filter(PassCondition::isCache).isPresent()
        ? "the %s entry, which memory contradicts, were invalidated".formatted(cause.get().table())
        : of(reason, cause.map(PassCondition::entry).orElse("the entry"));
  }

  private static boolean isCache(ExplainStep step) {
    return step.table().isCache();
  }

  private static String of(FaultReason reason, String entry) {
    return switch (reason) {
      case ROOT_NOT_PRESENT, SCALABLE_ROOT_NOT_PRESENT ->
          entry + " had P set and led to a context table";
      case CONTEXT_NOT_PRESENT, SCALABLE_CONTEXT_NOT_PRESENT ->
          entry + " had P set: no domain owns the device's requests";
      case CONTEXT_INVALID ->
          entry + " named a translation type, an address width and a table that the unit can use";
      case SCALABLE_CONTEXT_INVALID -> entry + " asked for nothing that the unit cannot do";
      case ADDRESS_NOT_CANONICAL -> "the address were canonical";
      case ADDRESS_BEYOND_WIDTH, OUTPUT_BEYOND_HARDWARE, INPUT_BEYOND_SECOND_LEVEL ->
          "the address lay within the width that the unit translates";
      case WRITE_NOT_PERMITTED -> entry + " had W set";
      case READ_NOT_PERMITTED -> entry + " had R set";
      case SCALABLE_WRITE_NOT_PERMITTED -> entry + " permitted writes";
      case SCALABLE_READ_NOT_PERMITTED -> entry + " permitted reads";
      case SECOND_LEVEL_NOT_PERMITTED -> entry + " had R or W set";
      case USER_NOT_PERMITTED -> entry + " had U/S set, or the request were privileged";
      case EXECUTE_NOT_PERMITTED -> entry + " permitted instruction fetches";
      case FIRST_LEVEL_NOT_PRESENT, PASID_DIRECTORY_NOT_PRESENT, PASID_ENTRY_NOT_PRESENT ->
          entry + " had P set";
      case PAGING_ENTRY_UNREADABLE,
          ROOT_ENTRY_UNREADABLE,
          CONTEXT_ENTRY_UNREADABLE,
          SCALABLE_ROOT_UNREADABLE,
          SCALABLE_CONTEXT_UNREADABLE,
          PASID_DIRECTORY_UNREADABLE,
          PASID_ENTRY_UNREADABLE,
          FIRST_LEVEL_UNREADABLE,
          FIRST_LEVEL_TOP_UNREADABLE,
          SECOND_LEVEL_UNREADABLE,
          SECOND_LEVEL_TOP_UNREADABLE ->
          entry + " lay in memory";
      case ROOT_ENTRY_RESERVED,
          CONTEXT_ENTRY_RESERVED,
          PAGING_ENTRY_RESERVED,
          SCALABLE_ROOT_RESERVED,
          SCALABLE_CONTEXT_RESERVED,
          PASID_DIRECTORY_RESERVED,
          PASID_ENTRY_RESERVED,
          FIRST_LEVEL_RESERVED,
          SECOND_LEVEL_RESERVED ->
          entry + " had its reserved bits clear";
      case REQUEST_TYPE_BLOCKED -> "the request were untranslated";
      case OUTPUT_IN_INTERRUPT_RANGE, SCALABLE_OUTPUT_IN_INTERRUPT_RANGE ->
          entry + " pointed outside 0xfee00000-0xfeefffff";
      case ROOT_TABLE_MODE_INVALID, DMA_ABORTED ->
          "RTADDR.TTM named a mode of the unit and SRTP followed";
      case PASID_IN_LEGACY_MODE ->
          "the request carried no PASID, or RTADDR.TTM named scalable mode";
      case DEVICE_TLB_DISABLED -> entry + " had DTE set";
      case PASID_DISABLED -> entry + " had PASIDE set, or the request carried no PASID";
      case PASID_BEYOND_DIRECTORY, RID_PASID_BEYOND_DIRECTORY ->
          entry + " named a PASID directory that reaches the PASID";
      case PASID_ENTRY_INVALID -> entry + " named a translation type that the unit can use";
      case EXECUTE_REQUESTS_DISABLED -> entry + " had ERE set";
      case SUPERVISOR_REQUESTS_DISABLED -> entry + " had SRE set";
      case NESTED_ADDRESS_BEYOND_WIDTH -> entry + " lay within the second level's width";
      case NESTED_TOP_NOT_READABLE, NESTED_TABLE_NOT_READABLE ->
          "the second level let the first-level table be read";
      case NESTED_TABLE_NOT_WRITABLE -> "the second level let the first-level table be written";
      case FIRST_LEVEL_UPDATE_NOT_SNOOPED,
          SECOND_LEVEL_UPDATE_NOT_SNOOPED,
          FIRST_LEVEL_UPDATE_FAILED,
          SECOND_LEVEL_UPDATE_FAILED ->
          entry + " could be marked accessed and dirty";
      case PAGE_GROUP_IN_LEGACY_MODE,
          PAGE_REQUESTS_DISABLED,
          INTERRUPT_REQUEST_RESERVED,
          INTERRUPT_INDEX_BEYOND_TABLE,
          INTERRUPT_ENTRY_NOT_PRESENT,
          INTERRUPT_ENTRY_UNREADABLE,
          INTERRUPT_ENTRY_RESERVED,
          COMPATIBILITY_INTERRUPT_BLOCKED,
          INTERRUPT_SOURCE_INVALID,
          POSTED_DESCRIPTOR_UNREADABLE,
          POSTED_DESCRIPTOR_RESERVED,
          INTERRUPT_REQUEST_WITH_PASID ->
          throw new IllegalStateException("a memory request does not end with " + reason);
    };
  }

  private static String entry(ExplainStep step) {
    String level = step.table().isPaging() ? " of level " + step.level() : "";
    return "the %s entry%s at 0x%x".formatted(step.table(), level, step.address());
  }
}
