package io.hypercalld.api.resource;

import io.hypercalld.api.machine.Machine;
import io.hypercalld.api.rest.Parameter;
import io.hypercalld.api.rest.Reply;
import io.hypercalld.api.rest.Request;
import io.hypercalld.api.rest.Route;
import io.hypercalld.core.bits.Word;
import io.hypercalld.core.dma.DmaMode;
import io.hypercalld.core.dma.DomainDma;
import io.hypercalld.core.domain.Domain;
import io.hypercalld.core.domain.DomainId;
import io.hypercalld.core.domain.GrantMapping;
import io.hypercalld.core.memory.FrameTable;
import io.hypercalld.core.memory.Mfn;
import io.hypercalld.core.memory.PageSize;
import io.hypercalld.core.p2m.Gfn;
import io.hypercalld.core.p2m.P2mLookup;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;

/**
 * {@code /v1/explain/bus}: how a kernel comes from an address of its own to the one that it tells a
 * device. Changes nothing. Immutable.
 *
 * @see "spec/documents.md S3-D11"
 */
final class BusExplanation {
  private BusExplanation() {}

  /**
   * How it comes about.
   *
   * @param verdict in words
   * @param bus the address that the device is told; empty where there is none, or only once a call
   *     of the DMA API has made one
   */
  record View(String verdict, DmaMode mode, Optional<Word> bus, List<Step> steps) {}

  /** One look-up. */
  record Step(String table, Map<String, Object> fields, String note) {}

  static List<Route> routes() {
    return List.of(
        Route.get(
                "/v1/explain/bus",
                "How a kernel comes from an address of its own to the one that it tells a device")
            .taking(
                Parameter.required("domid", "the domain", DomainId.class),
                Parameter.required("gpa", "guest-physical address", Word.class))
            .answering(View.class)
            .on(BusExplanation::explain));
  }

  private static Function<Machine, Reply> explain(Request request) {
    Names.DomainName name = new Names.DomainName(request.parameter("domid").orElse(""));
    Word gpa = Names.word(request, "gpa");
    return machine -> {
      Domain domain = name.in(machine.hypervisor().domains());
      return Reply.ok(view(machine.hypervisor().frames(), domain, gpa));
    };
  }

  private static View view(FrameTable frames, Domain domain, Word gpa) {
    DmaMode mode = domain.facet(DomainDma.class).mode();
    Gfn gfn = new Gfn(gpa.value() >>> PageSize.SHIFT_4K);
    Mfn mfn = domain.findP2m().map(p2m -> p2m.lookup(gfn)).map(P2mLookup::mfn).orElse(Mfn.INVALID);
    List<Step> steps = new ArrayList<>();
    grant(domain, gfn).ifPresent(mapping -> addGrant(steps, frames, mapping, mfn));
    steps.add(asked(mode, gfn, mfn));
    long inPage = gpa.value() & (PageSize.BYTES_4K - 1);
    if (!mfn.isValid() || !frames.contains(mfn.value())) {
      return new View("nothing is there", mode, Optional.empty(), steps);
    }
    steps.add(frame(frames, mfn));
    return switch (mode) {
      case P2M, VP -> told(mode, mfn.maddr() + inPage, steps);
      case IDENTITY -> told(mode, gpa.value(), steps);
      case VP_IOMMU ->
          new View("what map_pages gives it leads there", mode, Optional.empty(), steps);
    };
  }

  private static View told(DmaMode mode, long bus, List<Step> steps) {
    Word address = new Word(bus);
    return new View("the device is told " + address, mode, Optional.of(address), steps);
  }

  private static Optional<GrantMapping> grant(Domain domain, Gfn gfn) {
    return domain.memory().grantMappings().all().values().stream()
        .filter(mapping -> mapping.at().equals(gfn))
        .findFirst();
  }

  private static void addGrant(List<Step> steps, FrameTable frames, GrantMapping mapping, Mfn mfn) {
    steps.add(
        new Step(
            "grant",
            fields("granter", mapping.granter().id(), "ref", mapping.ref()),
            "%s grants it%s"
                .formatted(mapping.granter().id(), mapping.readonly() ? " to be read" : "")));
    long gfn = frames.m2p(mfn.value());
    steps.add(
        new Step(
            "foreign",
            gfn < 0 ? Map.of() : fields("gfn", new Gfn(gfn), "mfn", mfn),
            gfn < 0 ? "its guest frame is gone" : "its owner has it at that guest frame"));
  }

  private static Step asked(DmaMode mode, Gfn gfn, Mfn mfn) {
    String table =
        switch (mode) {
          case P2M -> "exposed-p2m";
          case IDENTITY -> "identity";
          case VP -> "phystomach";
          case VP_IOMMU -> "map_pages";
        };
    return new Step(table, fields("gfn", gfn, "mfn", mfn), "what the kernel asks, or knows");
  }

  private static Step frame(FrameTable frames, Mfn mfn) {
    return new Step(
        "frame",
        fields("mfn", mfn, "owner", frames.owner(mfn.value())),
        "the frame that the device reaches");
  }

  private static Map<String, Object> fields(String first, Object one, String second, Object other) {
    Map<String, Object> fields = new LinkedHashMap<>();
    fields.put(first, one);
    fields.put(second, other);
    return fields;
  }
}
