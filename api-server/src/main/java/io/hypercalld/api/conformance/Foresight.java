package io.hypercalld.api.conformance;

import com.fasterxml.jackson.databind.JsonNode;
import io.hypercalld.core.memory.PageSize;
import io.hypercalld.iommu.pci.SourceId;
import io.hypercalld.iommu.vtd.ContextEntry;
import io.hypercalld.iommu.vtd.Invalidation;
import io.hypercalld.iommu.vtd.QueueMode;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * What a driver had put into memory by each of its commands: what hardware finds there before the
 * next command that concerns it. A trace only says when hardware read it. Immutable.
 */
final class Foresight {
  private final Map<Integer, List<Integer>> before = new HashMap<>();

  /** What hardware reads, and of whom; a context entry has no page. */
  private record Place(int sourceId, Optional<Long> page) {}

  private record Read(int event, Place place, int domainId) {}

  Foresight(List<JsonNode> events, QueueMode mode) {
    List<CommandTrace.Command> commands = CommandTrace.of(events, mode);
    Map<Place, Read> next = new LinkedHashMap<>();
    int command = commands.size() - 1;
    for (int at = events.size() - 1; at >= 0; at--) {
      read(at, events.get(at)).ifPresent(read -> next.put(read.place, read));
      for (; command >= 0 && commands.get(command).event() == at; command--) {
        place(commands.get(command), next.values());
      }
    }
    before.values().forEach(reads -> reads.sort(null));
  }

  private static Optional<Read> read(int at, JsonNode event) {
    int sourceId = event.size() > 1 ? (int) EventTrace.number(event, 1) : 0;
    return switch (EventTrace.kind(event)) {
      case "cc" -> {
        var entry = new ContextEntry(EventTrace.number(event, 3), EventTrace.number(event, 2));
        yield Optional.of(new Read(at, new Place(sourceId, Optional.empty()), entry.domainId()));
      }
      case "fill" -> {
        long page = EventTrace.number(event, 2) >>> PageSize.SHIFT_4K;
        int domainId = (int) EventTrace.number(event, 4);
        yield Optional.of(new Read(at, new Place(sourceId, Optional.of(page)), domainId));
      }
      default -> Optional.empty();
    };
  }

  private void place(CommandTrace.Command command, Collection<Read> reads) {
    for (Iterator<Read> each = reads.iterator(); each.hasNext(); ) {
      Read read = each.next();
      if (command.forgotten().map(what -> covers(what, read)).orElse(true)) {
        before.computeIfAbsent(command.event(), _ -> new ArrayList<>()).add(read.event);
        each.remove();
      }
    }
  }

  private static boolean covers(Invalidation command, Read read) {
    return read.place.page.isPresent()
        ? coversLeaf(command, read, read.place.page.get())
        : coversContext(command, read);
  }

  private static boolean coversContext(Invalidation command, Read read) {
    return switch (command) {
      case Invalidation.AllContexts _, Invalidation.OfPasids _ -> true;
      case Invalidation.DomainContexts(int domainId) -> domainId == read.domainId;
      case Invalidation.DeviceContexts(int _, SourceId requester, int _) ->
          requester.value() == read.place.sourceId;
      default -> false;
    };
  }

  private static boolean coversLeaf(Invalidation command, Read read, long page) {
    return switch (command) {
      case Invalidation.AllTranslations _ -> true;
      case Invalidation.DomainTranslations(int domainId) -> domainId == read.domainId;
      case Invalidation.PasidTranslations(int domainId, int _) -> domainId == read.domainId;
      case Invalidation.PageTranslations(int domainId, long iova, int mask, boolean _) ->
          domainId == read.domainId && isWithin(page, iova, mask);
      case Invalidation.PasidPageTranslations(
              int domainId,
              int _,
              long iova,
              int mask,
              boolean _) ->
          domainId == read.domainId && isWithin(page, iova, mask);
      default -> false;
    };
  }

  private static boolean isWithin(long page, long iova, int mask) {
    return (page ^ iova >>> PageSize.SHIFT_4K) >>> mask == 0;
  }

  /** The reads, as places in the trace, of what is in memory before a command. */
  List<Integer> before(int event) {
    return before.getOrDefault(event, List.of());
  }
}
