package io.hypercalld.api.resource;

import io.hypercalld.api.machine.AccessViommu;
import io.hypercalld.api.machine.CreateViommu;
import io.hypercalld.api.machine.LoadViommu;
import io.hypercalld.api.machine.Machine;
import io.hypercalld.api.rest.Method;
import io.hypercalld.api.rest.Parameter;
import io.hypercalld.api.rest.Reply;
import io.hypercalld.api.rest.Request;
import io.hypercalld.api.rest.Route;
import io.hypercalld.core.bits.HexBytes;
import io.hypercalld.core.bits.Word;
import io.hypercalld.core.domain.Domain;
import io.hypercalld.core.errno.Errno;
import io.hypercalld.core.errno.Refusal;
import io.hypercalld.iommu.virtual.ShadowSync;
import io.hypercalld.iommu.virtual.VirtualIommu;
import io.hypercalld.iommu.virtual.VirtualUnitSettings;
import java.util.List;
import java.util.Map;
import java.util.function.BiFunction;
import java.util.function.Function;

/** {@code /v1/domains/{d}/viommu}. Immutable. */
final class ViommuRoutes {
  private static final String ONE = "/v1/domains/{d}/viommu";

  /** The record's type among those of a domain's saved state. */
  private static final int VVTD = 21;

  private ViommuRoutes() {}

  /**
   * The table that the guest's firmware passes on.
   *
   * @param table all of it, checksum included
   */
  record DmarView(int length, HexBytes table) {}

  /**
   * A record of a domain's saved state.
   *
   * @param type 21, VVTD
   * @param length bytes of the record
   * @param record little-endian: flags (bit 0 eim, bit 1 intremap), fault_index, irt_max_entry and
   *     padding as u32, irt as u64, and the registers from offset 0 on
   */
  record RecordView(int type, int length, HexBytes record) {}

  /** A record to be loaded, as one was saved. */
  record NewRecord(HexBytes record) {}

  /** Whether differences are wanted. */
  enum Diff {
    FALSE,
    TRUE
  }

  static List<Route> routes() {
    return List.of(
        Route.get(ONE, "The domain's virtual IOMMU")
            .answering(ViommuView.class)
            .on(request -> ofUnit(request, ViommuRoutes::view)),
        Route.of(Method.PUT, ONE, "Gives the domain a virtual IOMMU")
            .reading(NewViommu.class)
            .answering(ViommuView.class)
            .on(ViommuRoutes::create)
            .guardedBy(DomainRoutes::show),
        Route.get(ONE + "/dmar", "The DMAR table that the guest sees")
            .answering(DmarView.class)
            .on(request -> ofUnit(request, (_, found) -> dmar(found.iommu))),
        Route.get(ONE + "/shadow", "The shadows of the guest's tables")
            .taking(
                Parameter.optional(
                    "diff", "also what the guest has changed since they were read", Diff.class))
            .answering(ShadowView.class)
            .on(ViommuRoutes::shadow),
        Route.get(ONE + "/interrupt-entries", "Entries of the guest's table that are present")
            .answering(Page.ofItems(EntryView.class))
            .on(request -> ofUnit(request, (_, found) -> Page.whole(entries(found)))),
        Route.get(ONE + "/faults", "Fault records that wait for the guest")
            .answering(Page.ofItems(UnitListings.FaultRecordView.class))
            .on(request -> ofUnit(request, (_, found) -> Page.whole(faults(found)))),
        Route.get(ONE + "/record", "The record that goes with the domain when it is saved")
            .answering(RecordView.class)
            .on(request -> ofUnit(request, (_, found) -> record(found.iommu))),
        Route.of(
                Method.PUT,
                ONE + "/record",
                "Has the virtual IOMMU go on where the record of a saved one says that it was")
            .reading(NewRecord.class)
            .answering(ViommuView.class)
            .on(ViommuRoutes::load)
            .guardedBy(request -> ofUnit(request, ViommuRoutes::view)),
        Route.of(Method.POST, ONE + "/mmio", "Reads a register as the guest would, or writes it")
            .reading(IommuRoutes.RegisterAccess.class)
            .answering(IommuRoutes.RegisterValue.class)
            .on(ViommuRoutes::access)
            .guardedBy(request -> ofUnit(request, ViommuRoutes::view)));
  }

  /** An entry of the guest's interrupt-remapping table. */
  record EntryView(int index, Word lo, Word hi, int vector, Map<String, Word> fields) {}

  private static List<EntryView> entries(Found found) {
    return found.iommu.interrupts().entries().entrySet().stream()
        .map(
            each ->
                new EntryView(
                    each.getKey(),
                    new Word(each.getValue().lo()),
                    new Word(each.getValue().hi()),
                    each.getValue().vector(),
                    each.getValue().decode()))
        .toList();
  }

  private static Function<Machine, Reply> shadow(Request request) {
    boolean diff =
        request
            .parameter("diff")
            .map(text -> DomainRoutes.choice(text, Diff.class))
            .filter(Diff.TRUE::equals)
            .isPresent();
    return ofUnit(
        request,
        (machine, found) ->
            found
                .iommu
                .report()
                .map(report -> ShadowView.of(machine, found.domain, report, diff))
                .orElseThrow(
                    () ->
                        Refusal.of(
                            Errno.EOPNOTSUPP, "the virtual IOMMU does not translate requests")));
  }

  private record Found(Domain domain, VirtualIommu iommu) {}

  private static Function<Machine, Reply> ofUnit(
      Request request, BiFunction<Machine, Found, Object> view) {
    Names.DomainName name = Names.domain(request);
    return machine -> {
      Found found = find(machine, name);
      found.iommu.requireUnit();
      return Reply.ok(view.apply(machine, found));
    };
  }

  private static Found find(Machine machine, Names.DomainName name) {
    Domain domain = name.in(machine.hypervisor().domains());
    return new Found(domain, machine.virtualIommus().of(domain));
  }

  private static ViommuView view(Machine machine, Found found) {
    return ViommuView.of(machine, found.domain, found.iommu);
  }

  private static DmarView dmar(VirtualIommu iommu) {
    byte[] table = iommu.dmar();
    return new DmarView(table.length, new HexBytes(table));
  }

  private static RecordView record(VirtualIommu iommu) {
    byte[] record = iommu.save();
    return new RecordView(VVTD, record.length, new HexBytes(record));
  }

  private static Function<Machine, Reply> load(Request request) {
    Names.DomainName name = Names.domain(request);
    HexBytes record = request.read(NewRecord.class).record();
    return machine -> {
      Found found = find(machine, name);
      machine.execute(new LoadViommu(found.domain.id(), record));
      return Reply.ok(view(machine, found));
    };
  }

  private static List<UnitListings.FaultRecordView> faults(Found found) {
    return found.iommu.requireUnit().silicon().faults().stream()
        .map(fault -> UnitListings.ofGuest(found.domain.id(), fault))
        .toList();
  }

  private static Function<Machine, Reply> create(Request request) {
    Names.DomainName name = Names.domain(request);
    VirtualUnitSettings wanted = request.read(NewViommu.class).settings(ShadowSync.STRICT);
    return machine -> {
      Found found = find(machine, name);
      machine.execute(new CreateViommu(found.domain.id(), wanted));
      return Reply.ok(view(machine, found));
    };
  }

  private static Function<Machine, Reply> access(Request request) {
    Names.DomainName name = Names.domain(request);
    IommuRoutes.RegisterAccess access = request.read(IommuRoutes.RegisterAccess.class);
    return machine -> {
      Domain domain = name.in(machine.hypervisor().domains());
      Word value =
          machine.execute(
              new AccessViommu(domain.id(), access.offset(), access.size(), access.value()));
      return Reply.ok(new IommuRoutes.RegisterValue(access.offset(), access.size(), value));
    };
  }
}
