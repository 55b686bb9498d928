"""Reading the picture of a token's tries (weir inspect --dot) as a person: what does it grant?"""

import re

OPERATIONS = {
    "account read": "list-basins get-basin-config list-access-tokens account-metrics "
                    "list-locations get-default-location",
    "account write": "create-basin delete-basin reconfigure-basin issue-access-token "
                     "revoke-access-token set-default-location",
    "basin read": "list-streams get-stream-config basin-metrics",
    "basin write": "create-stream delete-stream reconfigure-stream",
    "stream read": "check-tail read stream-metrics",
    "stream write": "append trim fence",
}

LABEL = (r'\[(?:shape=ellipse, )?label="((?:[^"\\]|\\.)*)"'
         r'(?:, style=filled, fillcolor=lightyellow)?\]')
NODE = re.compile(r"  (token|n\d+) " + LABEL + ";")
ROOT = re.compile(r'  token -> (n\d+) \[label="(basins|access tokens)"\];')
STREAMS = re.compile(r'  (n\d+) -> (n\d+) \[style=dashed, label="streams, (prefix|exact)"\];')
STEP = re.compile(r'  (n\d+) -> (n\d+) \[label="((?:[^"\\]|\\.)*)"\];')
FRAME = ["digraph token {", "  rankdir=LR;", "  node [shape=box, fontname=monospace];",
         "  edge [fontname=monospace];", "}"]


def lines_of(label):
    """The lines of a label, as bytes."""
    parts = re.findall(r'\\l|\\\\x[0-9a-f]{2}|\\"|&amp;|[^\\&"]', label)
    if "".join(parts) != label:
        raise ValueError(f"no label: {label}")
    lines = [b""]
    for part in parts:
        if part == r"\l":
            lines.append(b"")
        elif part.startswith(r"\\x"):
            lines[-1] += bytes([int(part[3:], 16)])
        else:
            lines[-1] += {r'\"': b'"', "&amp;": b"&"}.get(part, part.encode())
    return lines[:-1]


def byte_of(label):
    """The byte that stands at an arrow."""
    (byte,) = lines_of(label + r"\l")
    if len(byte) != 1:
        raise ValueError(f"no byte: {label}")
    return byte


def operations_of(line):
    """An operation, or all of a group's access."""
    return set(OPERATIONS[line[7:]].split() if line.startswith("all of ") else [line])


class Node:
    """A name's part and what is granted there: operations, and of a basin the streams' trie.

    The byte of the name before that part stands at the arrow which leads to the node.
    """

    def __init__(self, label):
        self.part, *rest = lines_of(label)
        self.operations = {}
        self.streams = {}
        self.children = {}
        self.arrows = 0
        for line in map(bytes.decode, rest):
            if line in ("prefix:", "exact:"):
                kind = line[:-1]
                self.operations[kind] = set()
            else:
                self.operations[kind] |= operations_of(line.strip())

    def grant(self, kind):
        """(operations, streams), or None where the node says nothing of that kind."""
        if kind not in self.operations and kind not in self.streams:
            return None
        return self.operations.get(kind, set()), self.streams.get(kind)


class Graph:
    def __init__(self, text):
        self.nodes = {}
        self.roots = {}
        self.operations = set()
        lines = [line for line in text.splitlines() if line not in FRAME]
        # An arrow may be drawn before the nodes between which it is.
        others = [line for line in lines if not self.read_node(NODE.fullmatch(line))]
        for line in others:
            if not (self.read_root(ROOT.fullmatch(line)) or
                    self.read_streams(STREAMS.fullmatch(line)) or
                    self.read_step(STEP.fullmatch(line))):
                raise ValueError(f"what is this? {line}")

    def read_node(self, found):
        if found and found[1] == "token":
            _, *rest = lines_of(found[2])
            self.operations = set().union(*(operations_of(line.decode().strip()) for line in rest))
        elif found:
            self.enter(self.nodes, found[1], Node(found[2]))
        return found

    def read_root(self, found):
        if found:
            self.enter(self.roots, found[2], found[1])
        return found

    def read_streams(self, found):
        if found:
            self.enter(self.nodes[found[1]].streams, found[3], found[2])
        return found

    def read_step(self, found):
        if found:
            child = self.nodes[found[2]]
            self.enter(self.nodes[found[1]].children, byte_of(found[3]), child)
            child.arrows += 1
        return found

    @staticmethod
    def enter(things, key, thing):
        if key in things:
            raise ValueError(f"drawn twice: {key}")
        things[key] = thing

    def way(self, root, name):
        """The nodes that the name leads to, and whether it ends at the last of them."""
        node, nodes = self.nodes.get(root), []
        while node is not None and name.startswith(node.part):
            nodes.append(node)
            name = name[len(node.part):]
            if not name:
                return nodes, True
            node, name = node.children.get(name[:1]), name[1:]
        return nodes, False

    def of_basin(self, basin):
        """What is granted on the basin: where a node says nothing, what is said before it."""
        granted = set(), None
        nodes, ends = self.way(self.roots.get("basins"), basin)
        for node in nodes:
            granted = node.grant("prefix") or granted
        return nodes[-1].grant("exact") or granted if ends else granted

    def of_name(self, root, name):
        """What is granted on a name: by all prefixes on the way, and where it ends."""
        nodes, ends = self.way(root, name)
        granted = set().union(*(node.operations.get("prefix", set()) for node in nodes))
        return granted | nodes[-1].operations.get("exact", set()) if ends else granted

    def grants(self, request):
        """Whether it grants a request."""
        names = {field: request[field].encode() for field in ("basin", "stream", "access_token")
                 if field in request}
        if not names:
            return request["op"] in self.operations
        if "access_token" in names:
            return request["op"] in self.of_name(self.roots.get("access tokens"),
                                                 names["access_token"])
        operations, streams = self.of_basin(names["basin"])
        if "stream" in names:
            operations = self.of_name(streams, names["stream"])
        return request["op"] in operations
