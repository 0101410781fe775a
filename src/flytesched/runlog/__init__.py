"""The run log in SQLite: every slot's verdict, every run, every revision of a definition.

`sqlite` writes decisions, `reading` answers questions without writing, `wishes` is what commands
ask of the scheduler; `database` opens, makes and refuses files, `migrations` holds the schema.
"""
