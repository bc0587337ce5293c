"""Reading files of others: every fault named, nothing rounded, cut or dropped."""
