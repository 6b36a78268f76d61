"""How tools/extract_guides.py reads photos and videos and finds hands, bodies, faces and edges in them."""
