package io.hypercalld.api.client;

import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Xen's toolstack, as far as it asks what is simulated. Confined to the command's thread.
 *
 * <p>What it prints and how it complains is xl's own, byte by byte; it exits as xl does.
 */
final class Xl {
  static final String NOUN = "xl";

  private static final Map<String, String> USAGE =
      Map.of(
          "list", "[options] [Domain]",
          "info", "",
          "pci-list", "<Domain>",
          "pci-assignable-list", "",
          "pci-attach", "<Domain> <PCI_SPEC_STRING>",
          "pci-detach", "<Domain> <PCI_SPEC_STRING>",
          "dmesg", "",
          "debug-keys", "<Keys>");

  private static final Map<String, Set<String>> OPTIONS =
      Map.of("list", Set.of("-v", "--verbose"), "pci-detach", Set.of("-f"));

  private final Conversation conversation;

  private Xl(Conversation conversation) {
    this.conversation = conversation;
  }

  /**
   * Carries out one of its commands.
   *
   * @throws CommandFailure what xl or the daemon complains about
   */
  static Exit run(Conversation conversation, Grammar.Said said) {
    String command = said.values().getOrDefault("COMMAND", "");
    Xl xl = new Xl(conversation);
    List<String> arguments = said.pairs();
    checkOptions(command, arguments);
    switch (command) {
      case "list" -> xl.list(arguments);
      case "info" -> xl.info();
      case "pci-list" -> xl.pciList(argument(command, arguments, 0));
      case "pci-assignable-list" -> xl.assignable();
      case "pci-attach" ->
          xl.attach(argument(command, arguments, 0), argument(command, arguments, 1));
      case "pci-detach" ->
          xl.detach(argument(command, arguments, 0), argument(command, arguments, 1));
      case "dmesg" -> xl.conversation.terminal().print(xl.text("GET", "/v1/console"));
      case "debug-keys" -> xl.debugKeys(argument(command, arguments, 0));
      default -> throw CommandFailure.of(Exit.USAGE, "command not implemented");
    }
    return Exit.OK;
  }

  private static void checkOptions(String command, List<String> arguments) {
    for (String word : arguments) {
      if (word.startsWith("-") && !OPTIONS.getOrDefault(command, Set.of()).contains(word)) {
        throw CommandFailure.of(Exit.USAGE, "%s: unrecognized option '%s'", command, word);
      }
    }
  }

  private static String argument(String command, List<String> arguments, int index) {
    List<String> words = arguments.stream().filter(word -> !word.startsWith("-")).toList();
    if (index >= words.size()) {
      long due = USAGE.getOrDefault(command, "").chars().filter(c -> c == '<').count();
      throw CommandFailure.of(
          Exit.USAGE,
          "'xl %s' requires at least %d argument%s.\n\nUsage: xl [-vfNtT] %s %s",
          command,
          due,
          due > 1 ? "s" : "",
          command,
          USAGE.getOrDefault(command, ""));
    }
    return words.get(index);
  }

  private void list(List<String> arguments) {
    boolean verbose = arguments.contains("-v") || arguments.contains("--verbose");
    List<String> named = arguments.stream().filter(word -> !word.startsWith("-")).toList();
    List<?> domains =
        named.isEmpty()
            ? items("/v1/domains")
            : Collections.singletonList(domain(named.getFirst()));
    print(
        XlText.DOMAINS
            + (verbose ? "   UUID                            Reason-Code\tSecurity Label" : ""));
    for (Object domain : domains) {
      Object known =
          Tree.at(
              ask(
                  "POST",
                  "/v1/hypercalls/domctl/getdomaininfo",
                  Map.of("domain", XlText.integer(domain, "domid"))),
              "out");
      print(XlText.domain(domain, known) + (verbose ? XlText.details(domain, known) : ""));
    }
  }

  private void info() {
    int processors = items("/v1/machine/processors").size();
    XlText.machine(ask("GET", "/v1/machine", Map.of()), processors).forEach(this::print);
  }

  /** Prints nothing, not even its heading, for a domain that has none. */
  private void pciList(String name) {
    List<String> lines =
        devicesOf(domain(name)).stream().flatMap(one -> XlText.attached(one).stream()).toList();
    if (!lines.isEmpty()) {
      print(XlText.DEVICES);
      lines.forEach(this::print);
    }
  }

  private void assignable() {
    items("/v1/devices").stream()
        .filter(Xl::isAssignable)
        .map(XlText::assignable)
        .forEach(this::print);
  }

  /** Whether nobody has it, and it is none of those that others are behind. */
  private static boolean isAssignable(@Nullable Object device) {
    String state = Tree.textAt(device, "state").orElse("");
    boolean bridge = Tree.textAt(device, "class").orElse("").startsWith("0x06");
    return !bridge && (state.equals("quarantined") || state.equals("dom0"));
  }

  private void attach(String name, String text) {
    PciSpec spec = specification("pci-attach", text);
    Object domain = domain(name);
    List<String> attached = new ArrayList<>();
    try {
      GuestSlot slot = new GuestSlot(spec);
      for (String sbdf : functions(domain, spec)) {
        Object device = ask("GET", "/v1/devices/" + sbdf, Map.of());
        checkAssignable(domain, device);
        Object given = ask("PUT", assignment(sbdf), slot.assignment(domain, sbdf));
        attached.add(sbdf);
        slot.seen(given);
      }
    } catch (CommandFailure e) {
      attached.reversed().forEach(sbdf -> ask("DELETE", assignment(sbdf), Map.of()));
      throw e;
    }
  }

  private void checkAssignable(@Nullable Object domain, @Nullable Object device) {
    long domid = XlText.integer(domain, "domid");
    if (XlText.integer(device, "owner") == domid && domid != 0) {
      throw refused(domid, "PCI device already attached to a domain");
    }
    if (!isAssignable(device)) {
      String sbdf = Tree.textAt(device, "sbdf").orElse("").replaceAll("(^|:)0+(?=[0-9a-f])", "$1");
      throw refused(domid, "PCI device " + sbdf + " is not assignable");
    }
  }

  private void detach(String name, String text) {
    PciSpec spec = specification("pci-detach", text);
    Object domain = domain(name);
    List<String> owned =
        devicesOf(domain).stream().map(one -> Tree.textAt(one, "sbdf").orElse("")).toList();
    List<String> functions = spec.among(owned);
    if (functions.isEmpty()) {
      throw refused(XlText.integer(domain, "domid"), "PCI device not attached to this domain");
    }
    functions.forEach(sbdf -> ask("DELETE", assignment(sbdf), Map.of()));
  }

  private static String assignment(String sbdf) {
    return "/v1/devices/" + sbdf + "/assignment";
  }

  private List<String> functions(@Nullable Object domain, PciSpec spec) {
    List<String> functions =
        spec.among(
            items("/v1/devices").stream()
                .map(device -> Tree.textAt(device, "sbdf").orElse(""))
                .toList());
    if (functions.isEmpty()) {
      throw refused(
          XlText.integer(domain, "domid"), "PCI device " + spec.slot() + " is not assignable");
    }
    return functions;
  }

  private static PciSpec specification(String command, String text) {
    return PciSpec.parse(text)
        .orElseThrow(
            () ->
                CommandFailure.of(
                    Exit.USAGE, "%s: malformed PCI_SPEC_STRING \"%s\"", command, text));
  }

  private static CommandFailure refused(long domid, String complaint) {
    return CommandFailure.of(Exit.FAILED, "libxl: error: Domain %d:%s", domid, complaint);
  }

  private void debugKeys(String keys) {
    text("POST", "/v1/debug-keys/" + HttpCall.encode(keys))
        .lines()
        .forEach(line -> print("(XEN) " + line));
  }

  private @Nullable Object domain(String name) {
    DaemonClient.Reply reply =
        conversation.daemon().ask(call("GET", "/v1/domains/" + HttpCall.encode(name), Map.of()));
    if (reply.status() == 404) {
      throw name.matches("[0-9]+")
          ? CommandFailure.of(Exit.FAILED, "Error: Domain '%s' does not exist.", name)
          : CommandFailure.of(Exit.FAILED, "%s is an invalid domain identifier (rc=-6)", name);
    }
    return Tree.word(reply.text());
  }

  private List<?> devicesOf(@Nullable Object domain) {
    return items("/v1/devices?owner=" + XlText.integer(domain, "domid"));
  }

  private List<?> items(String path) {
    return Tree.listAt(ask("GET", path, Map.of()), "items");
  }

  private @Nullable Object ask(String method, String path, Map<String, ?> body) {
    try {
      return conversation.demand(call(method, path, body));
    } catch (CommandFailure e) {
      throw e.exit() == Exit.UNREACHABLE
          ? e
          : CommandFailure.of(Exit.FAILED, "libxl: error: %s", e.line());
    }
  }

  private String text(String method, String path) {
    DaemonClient.Reply reply =
        conversation.daemon().ask(call(method, path, Map.of()).with("Accept", "text/plain"));
    if (reply.status() >= 400) {
      throw CommandFailure.of(
          Exit.FAILED, "libxl: error: %s", Conversation.complaint(reply.status(), reply.text()));
    }
    return reply.text();
  }

  private static HttpCall call(String method, String path, Map<String, ?> body) {
    return new HttpCall(
        method,
        path,
        new LinkedHashMap<>(Map.of("Accept", "application/json")),
        body.isEmpty() ? Optional.empty() : Optional.of(new Content.Json(Tree.text(body))));
  }

  private void print(String line) {
    conversation.terminal().print(line + "\n");
  }
}
