"""Reading the picture of a token (weir inspect --dot) as a person does: what does it grant?

Names must not hold a backslash: the picture shows one as it shows a byte that is no plain ASCII.
"""

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
EDGE = re.compile(r'  (token|n\d+) -> (n\d+)(?: \[(?:style=dashed, )?label="([^"]*)"\])?;')
FRAME = ["digraph token {", "  rankdir=LR;", "  node [shape=box, fontname=monospace];", "}"]


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


def operations_of(line):
    """An operation, or all of a group's access."""
    return set(OPERATIONS[line[7:]].split() if line.startswith("all of ") else [line])


class Node:
    """A name's part and what is granted there: operations, and of a basin the streams' trie."""

    def __init__(self, label):
        self.part, *rest = lines_of(label)
        self.operations = {}
        self.streams = {}
        self.children = []
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
        for line in text.splitlines():
            node, edge = NODE.fullmatch(line), EDGE.fullmatch(line)
            if node and node[1] != "token":
                if node[1] in self.nodes:
                    raise ValueError(f"drawn twice: {line}")
                self.nodes[node[1]] = Node(node[2])
            elif edge and edge[1] == "token":
                self.roots[edge[3]] = edge[2]
            elif edge and edge[3]:
                self.nodes[edge[1]].streams[edge[3].split()[-1]] = edge[2]
            elif not (node or edge or line in FRAME):
                raise ValueError(f"what is this? {line}")
        # A node is drawn with its streams, but may be led to before it is drawn.
        for edge in filter(None, map(EDGE.fullmatch, text.splitlines())):
            if edge[1] != "token" and not edge[3]:
                self.nodes[edge[1]].children.append(self.nodes[edge[2]])

    def way(self, root, name):
        """The nodes that the name leads to, and whether it ends at the last of them."""
        node, nodes = self.nodes.get(root), []
        while node is not None and name.startswith(node.part):
            nodes.append(node)
            name = name[len(node.part):]
            if not name:
                return nodes, True
            node = next((child for child in node.children if child.part[0] == name[0]), None)
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
        """Whether it grants a request, which has a target."""
        names = {field: request[field].encode() for field in ("basin", "stream", "access_token")
                 if field in request}
        if "access_token" in names:
            return request["op"] in self.of_name(self.roots.get("access tokens"),
                                                 names["access_token"])
        operations, streams = self.of_basin(names["basin"])
        if "stream" in names:
            operations = self.of_name(streams, names["stream"])
        return request["op"] in operations
